"""Name constraints (RFC 5280, 4.2.1.10): each pair of a base and a name as a permitted and as an
excluded subtree."""

from . import der, pki
from .der import attribute, oid, sequence, tlv

IN, OUT, BAD = "in", "out", "bad"  # the name is in the subtree, it is not, nobody can tell

EMAIL, DNS, DIRECTORY, URI, ADDRESS, REGISTERED = 0x81, 0x82, 0xA4, 0x86, 0x87, 0x88
RULE = "RFC 5280, 4.2.1.10"


# OpenSSL ends the authority of a URI at a colon or a slash only.
AUTHORITY_ENDS = ("OpenSSL 3, libretls", "OTHER")


def text(kind, value):
    return tlv(kind, value if isinstance(value, bytes) else value.encode())


def subtree(base):
    return sequence(base)


def constraints(permitted=(), excluded=(), critical=True):
    """The extension, of lists of bases."""
    content = b""
    if permitted:
        content += tlv(0xA0, *map(subtree, permitted))
    if excluded:
        content += tlv(0xA1, *map(subtree, excluded))
    return pki.extension(30, sequence(content), critical)


def add_pair(table, root, what, base, relation, *, stricter=False, leaf_names=None, **leaf):
    """Two rows: the base is permitted, the base is excluded. `stricter`: openssl verify accepts the
    excluded one, or ("permitted", "both") the permitted one, or both."""
    listed = [] if leaf_names is None else [pki.names(*leaf_names)]
    for excluded in (False, True):
        authority = root.authority("constrained", constraints(
            excluded=[base]) if excluded else constraints(permitted=[base]))
        good = relation == (OUT if excluded else IN)
        openssl_errs = stricter == "both" or stricter == ("excluded" if excluded else "permitted")
        table.add(f"{what}, {'excluded' if excluded else 'permitted'}",
                  authority.leaf(*listed, san=leaf_names is None, **leaf), root,
                  "OK" if good else "OTHER" if relation == BAD else "CONSTRAINT", by=RULE + "; openssl verify",
                  stricter=RULE if openssl_errs else None,
                  exception=AUTHORITY_ENDS if good and stricter and relation == IN else None)


DNS_PAIRS = [
    ("good.test", "good.test", IN, ""), ("good.test", "a.good.test", IN, ""),
    ("good.test", "a.b.good.test", IN, ""), ("good.test", "A.GOOD.Test", IN, ""),
    ("GOOD.test", "a.good.test", IN, ""), ("good.test", "xgood.test", OUT, ""),
    ("good.test", "good.test.evil.test", OUT, ""), ("good.test", "good.tesu", OUT, ""),
    ("a.good.test", "good.test", OUT, ""), ("good.test", "test", OUT, ""),
    ("good.test", "*.good.test", IN, ""), ("good.test", "*.a.good.test", IN, ""),
    ("good.test", "*.test.good", OUT, ""), ("", "a.good.test", IN, ""),
    ("good.test", "_a.good.test", IN, ""), ("good.test", "xn--bcher-kva.good.test", IN, ""),
]

ADDRESS_PAIRS = [
    ("/8, inside", "0a000000ff000000", "0a010203", IN), ("/8, outside", "0a000000ff000000", "0b000001", OUT),
    ("/16, outside", "0a010000ffff0000", "0a020000", OUT),
    ("/24, inside", "0a010200ffffff00", "0a0102ff", IN),
    ("/24, outside by the third byte", "0a010200ffffff00", "0a010301", OUT),
    ("/32, itself", "0a010203ffffffff", "0a010203", IN),
    ("/32, outside by the last bit", "0a010203ffffffff", "0a010202", OUT),
    ("/31, inside", "0a010202fffffffe", "0a010203", IN),
    ("/9, outside by one bit", "0a000000ff800000", "0a800000", OUT),
    ("/0", "0000000000000000", "c0000201", IN),
    ("IPv6 /32, inside", "20010db8" + "00" * 12 + "ffffffff" + "00" * 12, "20010db8" + "00" * 11 + "01", IN),
    ("IPv6 /32, outside", "20010db8" + "00" * 12 + "ffffffff" + "00" * 12, "20010db9" + "00" * 11 + "01", OUT),
    ("IPv6 /128, outside by the last bit", "20010db8" + "00" * 11 + "01" + "ff" * 16,
     "20010db8" + "00" * 12, OUT),
    ("IPv6 /64, outside by the eighth byte", "20010db8" + "00" * 12 + "ff" * 8 + "00" * 8,
     "20010db800000001" + "00" * 8, OUT),
    ("IPv4 name, IPv6 base", "20010db8" + "00" * 12 + "ffffffff" + "00" * 12, "0a010203", OUT),
    ("IPv6 name, IPv4 base", "0a000000ff000000", "0a" + "00" * 15, OUT),
]

# Names that are no DNS names, and wildcards: openssl verify compares the text alone.
DNS_STRICT = [
    ("good.test", "good.test.", BAD, "excluded"), ("good.test", "a..good.test", BAD, "permitted"),
    ("good.test", ".good.test", BAD, "permitted"), ("good.test", "-a.good.test", BAD, "permitted"),
    ("good.test", "a b.good.test", BAD, "permitted"), ("good.test", b"evil.test\0.good.test", BAD, "permitted"),
    ("good.test", b"good.test\0", BAD, "excluded"), ("good.test", b"\xe9.good.test", BAD, "permitted"),
    ("good.test", "", BAD, "excluded"), ("good.test", "*", BAD, "excluded"),
    ("good.test", "a*.good.test", BAD, "permitted"), ("good.test", "a.*.good.test", BAD, "permitted"),
    ("good.test", "*.*.good.test", BAD, "permitted"),
]

EMAIL_PAIRS = [
    ("good.test", "a@good.test", IN, ""), ("good.test", "a@GOOD.test", IN, ""),
    ("good.test", "a@a.good.test", OUT, ""), ("good.test", "a@xgood.test", OUT, ""),
    ("good.test", "good.test@evil.test", OUT, ""), (".good.test", "a@a.good.test", IN, ""),
    (".good.test", "a@good.test", OUT, ""), ("a@good.test", "a@good.test", IN, ""),
    ("a@good.test", "b@good.test", OUT, ""), ("a@good.test", "A@good.test", OUT, ""),
    ("a@good.test", "a@Good.test", IN, ""), ("a@good.test", "a@evil.test", OUT, ""),
    ("good.test", "no-at-sign", BAD, ""), ("good.test", "good.test", BAD, ""),
]

EMAIL_STRICT = [
    ("good.test", b"a@evil.test\0@good.test", IN, ""), ("good.test", b"a@good.test\0", BAD, "excluded"),
    ("good.test", "@good.test", BAD, "permitted"), ("good.test", "a@", BAD, "excluded"),
    ("good.test", "a@good.test.", BAD, "excluded"), ("good.test", "a@.good.test", BAD, "excluded"),
    ("a@good.test", "\"a\"@good.test", BAD, "excluded"),
]

URI_STRICT = [
    ("good.test", "https://user@good.test/", BAD, "excluded"), ("good.test", "https://good.test@evil.test/", BAD, "excluded"),
    ("good.test", "https://good.test:x@evil.test/", BAD, "permitted"), ("good.test", "https://evil.test\\@good.test/", BAD, "excluded"),
    ("good.test", "https://evil.test\\.good.test/", BAD, "excluded"), ("good.test", "https://evil.test?good.test", OUT, ""),
    ("good.test", "https://good.test?x", IN, "excluded"), ("good.test", "https://good.test#x", IN, "excluded"),
    ("good.test", "https://evil.test#@good.test", OUT, ""), ("good.test", "https://[::1]/", BAD, "excluded"),
    ("good.test", "https://192.0.2.1/", BAD, "excluded"), ("good.test", "https://good.test:443x/", BAD, "permitted"),
    ("good.test", "https://good.test./", BAD, "excluded"), ("good.test", "https://go%6fd.test/", BAD, "excluded"),
    ("good.test", b"https://good.test\0/", BAD, "excluded"), ("good.test", "https://", BAD, ""),
    ("good.test", "", BAD, ""),
]

URI_PAIRS = [
    ("good.test", "https://good.test/", IN, ""), ("good.test", "https://good.test", IN, ""),
    ("good.test", "HTTPS://GOOD.test:8443/x?y#z", IN, ""),
    ("good.test", "https://a.good.test/", OUT, ""), ("good.test", "https://xgood.test/", OUT, ""),
    (".good.test", "https://a.good.test/", IN, ""), (".good.test", "https://good.test/", OUT, ""),
    ("good.test", "https://evil.test/good.test", OUT, ""),
    ("good.test", "https://evil.test/@good.test", OUT, ""),
    ("good.test", "urn:good.test", BAD, ""), ("good.test", "//good.test/", BAD, ""),
    ("good.test", "https:///good.test", BAD, ""),
    ("good.test", "good.test", BAD, ""),
]


def add_hosts(table, root):
    for kind, word, pairs in ((DNS, "DNS name", DNS_PAIRS + DNS_STRICT),
                              (EMAIL, "mail address", EMAIL_PAIRS + EMAIL_STRICT), (URI, "URI", URI_PAIRS + URI_STRICT)):
        for base, value, relation, stricter in pairs:
            shown = value if isinstance(value, str) else value.decode("latin-1").encode("unicode_escape").decode()
            add_pair(table, root, f"{word} {shown}, base \"{base}\"", text(kind, base), relation,
                     stricter=stricter, leaf_names=[text(kind, value)])
    for what, base, value, relation in ADDRESS_PAIRS:
        add_pair(table, root, f"address, {what}", tlv(ADDRESS, bytes.fromhex(base)), relation,
                 leaf_names=[tlv(ADDRESS, bytes.fromhex(value))])
    base = tlv(ADDRESS, bytes.fromhex("0a00000000"))
    add_pair(table, root, "address, a base of five bytes", base, BAD,
             leaf_names=[tlv(ADDRESS, b"\x0a\1\2\3")])


def o(value, string="utf8", kind="O"):
    return attribute(kind, value, string)


def directory(*rdns):
    return tlv(DIRECTORY, der.name(*rdns))


def add_directories(table, root):
    plain = der.name(o("Good Corp"), o("localhost", kind="CN"))
    base = directory(o("Good Corp"))
    pairs = [
        ("the same", base, plain, IN), ("in capitals", directory(o("GOOD CORP")), plain, IN),
        ("with more spaces", directory(o("  Good   Corp ")), plain, IN),
        ("as PrintableString", directory(o("Good Corp", "printable")), plain, IN),
        ("as BMPString", directory(o("Good Corp", "bmp")), plain, IN),
        ("as UniversalString", directory(o("Good Corp", "universal")), plain, IN),
        ("as T61String", directory(o("Good Corp", "t61")), plain, IN),
        ("another", directory(o("Good Corps")), plain, OUT),
        ("of another attribute type", directory(o("Good Corp", kind="OU")), plain, OUT),
        ("longer", directory(o("Good Corp"), o("localhost", kind="CN"), o("x", kind="CN")), plain, OUT),
        ("whole", directory(o("Good Corp"), o("localhost", kind="CN")), plain, IN),
        ("that begins later", directory(o("localhost", kind="CN")), plain, OUT),
        ("empty", directory(), plain, IN),
        ("a set in the same order", directory([o("Good Corp"), o("x", kind="OU")]),
         der.name([o("Good Corp"), o("x", kind="OU")], o("localhost", kind="CN")), IN),
        ("a set of which one differs", directory([o("Good Corp"), o("x", kind="OU")]),
         der.name([o("Good Corp"), o("y", kind="OU")], o("localhost", kind="CN")), OUT),
        ("a set with one more", directory([o("Good Corp"), o("x", kind="OU")]), plain, OUT),
    ]
    for what, one, subject, relation in pairs:
        add_pair(table, root, f"directory name, base {what}", one, relation, name=subject)
    add_pair(table, root, "directory name among the alternative names, inside", base, IN, name=plain,
             leaf_names=[tlv(DIRECTORY, plain), pki.LOCALHOST])
    other = root.authority("constrained", constraints(permitted=[base]))
    table.add("directory name among the alternative names, not permitted", other.leaf(
        pki.names(tlv(DIRECTORY, der.name(o("Evil Corp"))), pki.LOCALHOST), san=False, name=plain),
        root, "CONSTRAINT", by=RULE)
    other = root.authority("constrained", constraints(excluded=[directory(o("Evil Corp"))]))
    table.add("directory name among the alternative names, excluded", other.leaf(
        pki.names(tlv(DIRECTORY, der.name(o("Evil Corp"))), pki.LOCALHOST), san=False, name=plain),
        root, "CONSTRAINT", by=RULE)


def add_wildcards(table, root):
    """A wildcard stands for every name in its place: it is refused if one of them is excluded, and
    permitted only if all are."""
    for base, value, excluded, outcome, stricter in (
            ("a.good.test", "*.good.test", True, "CONSTRAINT", True), ("a.good.test", "*.good.test", False, "CONSTRAINT", False),
            ("good.test", "*.good.test", True, "CONSTRAINT", False), ("test", "*.good.test", True, "CONSTRAINT", False),
            ("a.evil.test", "*.good.test", True, "OK", False), ("good.test", "*.evil.test", False, "CONSTRAINT", False),
            ("a.b.good.test", "*.good.test", True, "OK", False), ("A.Good.test", "*.good.TEST", True, "CONSTRAINT", True)):
        listed = constraints(excluded=[text(DNS, base)]) if excluded else constraints([text(DNS, base)])
        table.add(f"the wildcard {value}, {'excluded' if excluded else 'permitted'} is {base}", root.authority(
            "constrained", listed).leaf(pki.names(text(DNS, value)), san=False), root, outcome, by=RULE,
            stricter=RULE + "; CVE-2025-61727" if stricter else None)
    for base, outcome in (("good.test", "OK"), ("evil.test", "CONSTRAINT")):
        mailbox = tlv(0xA0, oid("1.3.6.1.5.5.7.8.9"), tlv(0xA0, der.text("\u00e9@good.test")))
        table.add(f"a mailbox in UTF-8 at good.test, permitted is {base}", root.authority(
            "constrained", constraints([text(EMAIL, base)])).leaf(pki.names(mailbox, pki.LOCALHOST), san=False),
            root, outcome, by="RFC 9598, 6")
        other = root.authority("constrained", constraints(excluded=[text(EMAIL, base)]))
        table.add(f"a mailbox in UTF-8 at good.test, excluded is {base}", other.leaf(
            pki.names(mailbox, pki.LOCALHOST), san=False), root, "CONSTRAINT" if outcome == "OK" else "OK", by="RFC 9598, 6")
    for mask, what in (("ff00ff00", "with a hole"), ("00ffffff", "that begins with zeros")):
        base = tlv(ADDRESS, bytes.fromhex("0a000000" + mask))
        table.add(f"an address mask {what}", root.authority("constrained", constraints([base])).leaf(
            pki.names(tlv(ADDRESS, b"\x0a\0\0\0")), san=False), root, "CONSTRAINT", by=RULE, stricter=RULE)


def add_common_names(table, root):
    """The common name is no host name, on no backend, and escapes nothing: it is never matched."""
    permitted = root.authority("constrained", constraints([text(DNS, "good.test")]))
    for name in ("*.evil.test", "-evil.test", "intranet", "evil.test"):
        for names, host in ((None, "NAME"), ([text(DNS, "a.good.test")], "NAME")):
            listed = [] if names is None else [pki.names(*names)]
            what = "alone" if names is None else "beside a name that is permitted"
            asked = "a.evil.test" if name[0] == "*" else name
            if asked[0] != "-":
                table.add(f"the common name {name}, {what}, asked for", permitted.leaf(*listed, san=False, name=name),
                          root, "OTHER", by="RFC 9525, 2", host=asked,
                          stricter="RFC 9525, 2" if names is None and name in ("*.evil.test", "intranet") else None)


def add_other_kinds(table, root):
    registered = tlv(REGISTERED, oid("1.2.3.4")[2:])
    other = tlv(0xA0, oid("1.3.6.1.4.1.55555.3"), tlv(0xA0, der.text("x")))
    x400 = tlv(0xA3, b"")
    party = tlv(0xA5, tlv(0xA1, der.text("x")))
    for what, one in (("registered ID", registered), ("other name", other), ("X.400 address", x400),
                      ("EDI party name", party)):
        for excluded in (False, True):
            listed = constraints(excluded=[one]) if excluded else constraints(permitted=[one])
            authority = root.authority("constrained", listed)
            word = "excluded" if excluded else "permitted"
            table.add(f"{what}, {word}", authority.leaf(pki.names(one, pki.LOCALHOST), san=False),
                      root, "OTHER", by=RULE + ", kinds that are not understood")
            if one in (x400, party):  # are malformed as they are, and of no use
                continue
            table.add(f"{what}, {word} and not there", authority.leaf(), root, by=RULE)
    mixed = root.authority("constrained", constraints([text(DNS, "good.test")], [text(DNS, "a.good.test")]))
    for value, outcome in (("b.good.test", "OK"), ("a.good.test", "CONSTRAINT"), ("evil.test", "CONSTRAINT")):
        table.add(f"permitted good.test, excluded a.good.test: {value}",
                  mixed.leaf(pki.names(text(DNS, value)), san=False), root, outcome, by=RULE)
    upper = root.authority("upper", constraints([text(DNS, "good.test")]))
    lower = upper.authority("lower", constraints([text(DNS, "a.good.test")]))
    for value, outcome in (("x.a.good.test", "OK"), ("b.good.test", "CONSTRAINT"), ("evil.test", "CONSTRAINT")):
        table.add(f"permitted good.test and below it a.good.test: {value}",
                  lower.leaf(pki.names(text(DNS, value)), san=False), root, outcome, by=RULE)
    wider = upper.authority("wider", constraints([text(DNS, "evil.test")]))
    table.add("a lower authority permits what an upper one does not",
              wider.leaf(pki.names(text(DNS, "evil.test")), san=False), root, "CONSTRAINT", by=RULE)
    many = root.authority("constrained", constraints([text(DNS, "evil.test"), text(DNS, "good.test")]))
    table.add("the second permitted subtree", many.leaf(pki.names(text(DNS, "good.test")), san=False), root)
    table.add("not critical, and kept", root.authority("constrained", constraints(
        [text(DNS, "localhost")], critical=False)).leaf(), root)
    table.add("not critical, and not kept", root.authority("constrained", constraints(
        [text(DNS, "good.test")], critical=False)).leaf(), root, "CONSTRAINT", by=RULE)


def add_authorities(table, root):
    """Names of the authorities below."""
    base = directory(o("portls test"))
    upper = root.authority("constrained", constraints(permitted=[base]))
    for name, outcome in ((pki.subject("lower"), "OK"), (der.name(o("Evil Corp")), "CONSTRAINT")):
        table.add(f"an authority below, {'permitted' if outcome == 'OK' else 'not permitted'}",
                  upper.authority(name).leaf(), root, outcome, by=RULE)
    table.add("an authority below with a DNS name that is not permitted", root.authority(
        "constrained", constraints([text(DNS, "localhost")])).authority(
            "lower", pki.names(text(DNS, "evil.test"))).leaf(), root, "CONSTRAINT", by=RULE)
    own = der.name(o("Evil Corp"))
    upper = root.authority(own, constraints(permitted=[base]), *pki.key_id(b"old"))
    table.add("an authority issued by itself is exempt",
              upper.authority(own, *pki.key_id(b"new", b"old"), own_key="p256-new").leaf(
                  *pki.key_id(None, b"new")), root, by=RULE)
    table.add("a leaf issued by itself is not", upper.leaf(*pki.key_id(b"leaf", b"old"), name=own), root,
              "CONSTRAINT", by=RULE)
    empty = der.name()
    table.add("an empty subject is not constrained", root.authority(
        "constrained", constraints(permitted=[base])).leaf(
            pki.names(pki.LOCALHOST, critical=True), san=False, name=empty), root, by=RULE)
    mail = der.name(o("portls test"), attribute("email", "a@good.test"))
    add_pair(table, root, "the subject's mail address, inside", text(EMAIL, "good.test"), IN, name=mail)
    add_pair(table, root, "the subject's mail address, outside", text(EMAIL, "evil.test"), OUT, name=mail)
    constrained = pki.root("constrained root", constraints([text(DNS, "good.test")]))
    table.add("a root's constraint that is not kept", constrained.leaf(), constrained, "CONSTRAINT", by=RULE)
    table.add("a root's constraint that is kept",
              constrained.leaf(pki.names(text(DNS, "a.good.test")), san=False), constrained)
    table.add("a root's constraint two levels down",
              constrained.authority("lower").leaf(), constrained, "CONSTRAINT", by=RULE)


def add_malformed(table, root):
    def authority(content):
        return root.authority("constrained", pki.extension(30, content, True))

    one = sequence(text(DNS, "localhost"))
    for what, content, stricter in (
            ("a minimum", sequence(tlv(0xA0, sequence(text(DNS, "localhost"), tlv(0x80, b"\1")))), False),
            ("a maximum", sequence(tlv(0xA0, sequence(text(DNS, "localhost"), tlv(0x81, b"\5")))), False),
            ("a third list", sequence(tlv(0xA0, one), tlv(0xA2, one)), False),
            ("the lists in the wrong order", sequence(tlv(0xA1, sequence(text(DNS, "x"))), tlv(0xA0, one)), False),
            ("a set in place of a sequence", tlv(0x31, tlv(0xA0, one)), False),
            ("bytes behind", sequence(tlv(0xA0, one)) + b"\0\0", True),
            ("a base of an unknown kind", sequence(tlv(0xA0, sequence(tlv(0x89, b"x")), one)), False),
    ):
        table.add(f"name constraints with {what}", authority(content).leaf(), root, "OTHER",
                  by="X.690; RFC 5280, 4.2.1.10",
                  stricter="X.690; RFC 5280, 4.2.1.10" if stricter else None)


def add(table):
    root = pki.root("table root")
    add_hosts(table, root)
    add_directories(table, root)
    add_wildcards(table, root)
    add_common_names(table, root)
    add_other_kinds(table, root)
    add_authorities(table, root)
    add_malformed(table, root)
