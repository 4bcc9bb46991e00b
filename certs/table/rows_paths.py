"""Building a path from what the peer sends to what is trusted."""

from . import der, pki
from .rows_constraints import constraints

RULE = "RFC 4158; what is loaded as a root is trusted as it is"

# OpenSSL goes back for no other issuer once it has found one of the right name that is not trusted.
NO_WAY_BACK = ("OpenSSL 3, libretls", "OTHER")


class Pki:
    """A root, a chain of two authorities below it, and another root that issued the same."""

    def __init__(self):
        self.root = pki.root("table root")
        self.other = pki.root("other root", own_key="p256-other-root")
        self.upper = self.root.authority("upper", own_key="p256-upper")
        self.lower = self.upper.authority("lower", own_key="p256-lower")
        self.leaf = self.lower.leaf()
        self.cross = self.other.authority("upper", own_key="p256-upper")  # of the same name and key
        self.expired = self.root.authority("upper", own_key="p256-upper", ends="20210101000000Z")
        self.same_name = self.root.authority("upper", own_key="p256-same-name")  # with another key
        self.false = pki.root("table root", own_key="p256-false")

    def certificate(self, authority):
        return authority.path[0] if authority.path else authority.root


def add_orders(table, one):
    leaf, lower, upper = one.leaf
    other, cross = one.other.root, one.cross.path[0]
    expired, same_name = one.expired.path[0], one.same_name.path[0]
    root = one.root.root
    cases = [
        ("in order", [lower, upper], "OK"), ("in the wrong order", [upper, lower], "OK"),
        ("with the root", [lower, upper, root], "OK"), ("with the root first", [root, upper, lower], "OK"),
        ("with another root", [lower, upper, other], "OK"), ("with another root first", [other, lower, upper], "OK"),
        ("with each twice", [lower, lower, upper, upper], "OK"), ("with the leaf again", [leaf, lower, upper], "OK"),
        ("without the upper", [lower], "UNTRUSTED"), ("without the lower", [upper], "UNTRUSTED"),
        ("of the leaf alone", [], "UNTRUSTED"), ("of the leaf and the root", [root], "UNTRUSTED"),
        ("with a cross certificate behind", [lower, upper, cross], "OK"),
        ("with a cross certificate in front", [lower, cross, upper], "OK"),
        ("with only a cross certificate", [lower, cross], "UNTRUSTED"),
        ("with an expired upper behind", [lower, upper, expired], "OK"),
        ("with an expired upper in front", [lower, expired, upper], "OK"),
        ("with only an expired upper", [lower, expired], "EXPIRED"),
        ("with one of the upper's name and another key behind", [lower, upper, same_name], "OK"),
        ("with one of the upper's name and another key in front", [lower, same_name, upper], "OK"),
        ("with a false root of the root's name", [lower, upper, one.false.root], "OK"),
    ]
    for what, rest, outcome in cases:
        same_name_first = "and another key in front" in what
        table.add(f"a chain {what}", [leaf, *rest], [root], outcome, by=RULE, exception=NO_WAY_BACK
                  if same_name_first or what == "with a cross certificate in front" else None)
        if outcome != "UNTRUSTED":
            table.add(f"a chain {what}, and two roots", [leaf, *rest], [other, root], outcome, by=RULE,
                      exception=NO_WAY_BACK if same_name_first else None)
    table.add("a chain with only a cross certificate, of the other root", [leaf, lower, cross], [other], by=RULE)
    table.add("a chain with both, of the other root", [leaf, lower, upper, cross], [other], by=RULE,
              exception=NO_WAY_BACK)


def add_trusted(table, one):
    leaf, lower, upper = one.leaf
    for what, chain, roots, outcome in (
            ("the upper is trusted", [leaf, lower], [upper], "OK"), ("the lower is trusted", [leaf], [lower], "OK"),
            ("the lower is trusted, and sent", [leaf, lower, upper], [lower], "OK"),
            ("the leaf is trusted", [leaf], [leaf], "OK"), ("the leaf is trusted, with its chain", [leaf, lower, upper], [leaf], "OK"),
            ("the cross certificate is trusted", [leaf, lower], [one.cross.path[0]], "OK"),
            ("the expired upper is trusted", [leaf, lower], [one.expired.path[0]], "EXPIRED"),
            ("one of the upper's name and another key is trusted", [leaf, lower], [one.same_name.path[0]], "OTHER"),
            ("a false root is trusted", [leaf, lower, upper], [one.false.root], "OTHER"),
            ("a false root and the right one", [leaf, lower, upper], [one.false.root, one.root.root], "OK"),
            ("the right root and a false one", [leaf, lower, upper], [one.root.root, one.false.root], "OK")):
        table.add(what, chain, roots, outcome, by=RULE,
                  exception=NO_WAY_BACK if what == "a false root and the right one" else None)
    for what, options, outcome in (("an expired root", {"ends": "20210101000000Z"}, "EXPIRED"),
                                   ("a root of the future", {"begins": "20900101000000Z"}, "NOT_YET_VALID")):
        own = pki.root("dated root", **options)
        new = pki.root("dated root")
        table.add(what, own.leaf(), own, outcome, by=RULE)
        table.add(f"{what}, and a new one of the same name and key", own.leaf(), [own.root, new.root], by=RULE)
        table.add(f"{what} behind a new one of the same name and key", own.leaf(), [new.root, own.root], by=RULE)
        table.add(f"{what}, and a trusted leaf", own.leaf(), [own.leaf()[0]], by=RULE)
        table.add(f"{what} that is sent, and a new one that is trusted", [*own.leaf(), own.root], new, by=RULE)
        dated = one.root.authority("dated", **options)
        table.add(f"{what}: an authority that is trusted", dated.leaf(), [dated.path[0]], outcome, by=RULE)
        leaf = one.root.authority("dated").leaf(**options)
        table.add(f"{what}: a leaf that is trusted", leaf, [leaf[0]], outcome, by=RULE)


def add_own_issuers(table, one):
    """Subjects that equal issuers."""
    name = one.upper.name
    table.add("a leaf of its issuer's name", one.upper.leaf(*pki.key_id(b"leaf", b"up"), name=name), one.root, by=RULE)
    table.add("a leaf of the root's name", one.root.leaf(*pki.key_id(b"leaf", b"root"), name=one.root.name), one.root, by=RULE)
    table.add("a leaf of the root's name, and the root sent", [
        *one.root.leaf(*pki.key_id(b"leaf", b"root"), name=one.root.name), one.root.root], one.root, by=RULE)
    table.add("a leaf of its issuer's name, and the wrong root",
              one.upper.leaf(*pki.key_id(b"leaf", b"up"), name=name), one.other, "UNTRUSTED", by=RULE)
    own = pki.Authority(pki.subject("localhost"), "p256-row", [], None)
    leaf = own.leaf()
    table.add("self-signed", leaf, one.root, "SELF_SIGNED", by=RULE)
    table.add("self-signed, with a chain behind", [*leaf, *one.lower.path], one.root, "SELF_SIGNED", by=RULE)
    table.add("self-signed and trusted", leaf, leaf, by=RULE)
    table.add("self-signed, and one of the same name and key is trusted", leaf, own.leaf(ends="20981231235959Z"),
              "OTHER", by=RULE)
    broken = own.leaf(change_signature=lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]))
    table.add("self-signed with a wrong signature", broken, one.root, "OTHER", by=RULE)
    table.add("a leaf of its issuer's name that claims to be its own issuer",
              own.leaf(*pki.key_id(b"own", b"own")), one.root, "SELF_SIGNED", by=RULE)
    # An end entity cannot issue, also not one of the same name.
    below = pki.Authority(pki.subject("localhost"), "p256-row", one.leaf, None)
    table.add("issued by a leaf", below.leaf(name="below", own_key="p256-row"), one.root, "CONSTRAINT", by=RULE)
    table.add("issued by a leaf of the same name", below.leaf(*pki.key_id(b"x", b"y"), name="localhost"), one.root,
              "CONSTRAINT", by=RULE)


def add_loops(table, one):
    first = pki.Authority(pki.subject("first"), "p256-first")
    second = pki.Authority(pki.subject("second"), "p256-second")
    to_second = first.authority("second", own_key="p256-second").path[0]
    to_first = second.authority("first", own_key="p256-first").path[0]
    anchor = one.root.authority("first", own_key="p256-first").path[0]
    leaf = second.leaf()[0]
    table.add("two that issued each other", [leaf, to_second, to_first], one.root, "UNTRUSTED", by=RULE)
    table.add("two that issued each other, and a way out", [leaf, to_second, to_first, anchor], one.root, by=RULE,
              exception=NO_WAY_BACK)
    table.add("two that issued each other, and a way out first", [leaf, anchor, to_first, to_second], one.root, by=RULE)
    again = first.authority("first", own_key="p256-first").path[0]
    table.add("one that issued itself", [first.leaf()[0], again], one.root, "UNTRUSTED", by=RULE)
    table.add("one that issued itself, and a way out", [first.leaf()[0], again, anchor], one.root, by=RULE,
              exception=NO_WAY_BACK)


def add_key_ids(table, one):
    """Key identifiers tell authorities of the same name apart."""
    right = one.root.authority("twin", *pki.key_id(b"right"), own_key="p256-right")
    wrong = one.root.authority("twin", *pki.key_id(b"wrong"), own_key="p256-wrong")
    leaf = right.leaf(*pki.key_id(None, b"right"))[0]
    for what, rest in (("right one first", [right.path[0], wrong.path[0]]), ("wrong one first", [wrong.path[0], right.path[0]])):
        table.add(f"two authorities of one name, {what}", [leaf, *rest], one.root, by="RFC 5280, 4.2.1.1")
    table.add("only the wrong authority of the name", [leaf, wrong.path[0]], one.root, "UNTRUSTED", by="RFC 5280, 4.2.1.1")
    table.add("a leaf with a key identifier, an authority without", one.upper.leaf(*pki.key_id(None, b"any")), one.root)
    table.add("an authority with a key identifier, a leaf without", right.leaf(), one.root)


def long_chain(root, count):
    """A leaf and `count` - 1 authorities."""
    authority = root
    for i in range(count - 1):
        authority = authority.authority(f"level {i}", own_key=f"p256-level-{i % 2}")
    return authority.leaf()


def add_limits(table, one):
    for count in (5, 8, 9):
        table.add(f"{count} certificates", long_chain(one.root, count), one.root, by=RULE)
    for count in (30, 60, 101):
        chain = long_chain(one.root, 12)
        fillers = [one.root.authority(f"filler {i}").path[0] for i in range(count - len(chain))]
        table.add(f"{count} certificates, of which few belong to it", [*one.upper.leaf()[:1], *fillers], one.root,
                  "OTHER", by="a documented limit, or no path")
    names = [der.tlv(0x82, f"n{i}.portls.test".encode()) for i in range(1100)]
    bases = [der.tlv(0x82, f"b{i}.portls.test".encode()) for i in range(1100)]
    table.add("1100 names and 1100 excluded subtrees, of which none fits", one.root.authority(
        "constrained", constraints(excluded=bases)).leaf(pki.names(*names), san=False), one.root, "OTHER",
        by="openssl verify, which bounds names x subtrees")


def add(table):
    one = Pki()
    add_orders(table, one)
    add_trusted(table, one)
    add_own_issuers(table, one)
    add_loops(table, one)
    add_key_ids(table, one)
    add_limits(table, one)
