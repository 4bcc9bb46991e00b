"""Host names (RFC 9525) against the names of a certificate."""

from . import pki
from .der import attribute, name, oid, text, tlv

RULE = "RFC 9525, 6"


def dns(value):
    return tlv(0x82, value if isinstance(value, bytes) else value.encode())


def address(*numbers):
    return tlv(0x87, bytes(numbers))


# The names of a certificate, the host, and whether it is one of them.
CASES = [
    ("one of many names", [dns(f"n{i}.portls.test") for i in range(60)], "n59.portls.test", True),
    ("none of many names", [dns(f"n{i}.portls.test") for i in range(60)], "n60.portls.test", False),
    ("a label of 63 letters", [dns("a" * 63 + ".portls.test")], "a" * 63 + ".portls.test", True),
    ("a wildcard for a label of 63 letters", [dns("*.portls.test")], "a" * 63 + ".portls.test", True),
    ("a name of 252 letters", [dns(".".join(["a" * 59] * 4) + ".portls.test")], ".".join(["a" * 59] * 4) + ".portls.test", True),
    ("a digit label", [dns("1.portls.test")], "1.portls.test", True),
    ("a name with an underscore", [dns("_a.portls.test")], "_a.portls.test", True),
    ("an underscore behind a wildcard", [dns("*.a_b.portls.test")], "x.a_b.portls.test", False),
    ("a URI of the host", [tlv(0x86, b"https://a.portls.test/")], "a.portls.test", False),
    ("a mail address at the host", [tlv(0x81, b"a@a.portls.test")], "a.portls.test", False),
    ("a directory name of the host", [tlv(0xA4, name(attribute("CN", "a.portls.test")))], "a.portls.test", False),
    ("an SRV name of the host", [tlv(0xA0, oid("1.3.6.1.5.5.7.8.7"), tlv(0xA0, text("_x.a.portls.test", "ia5")))], "a.portls.test", False),
    ("an ID beside the host", [tlv(0x88, oid("1.2.3")[2:]), dns("a.portls.test")], "a.portls.test", True),
    ("a zero byte behind the host", [dns(b"a.portls.test\0")], "a.portls.test", False),
    ("a zero byte in front of the host", [dns(b"\0a.portls.test")], "a.portls.test", False),
    ("a zero byte in a name, and the host", [dns(b"a.portls.test\0.evil.test"), dns("a.portls.test")], "a.portls.test", True),
    ("a space behind the host", [dns("a.portls.test ")], "a.portls.test", False),
    ("an empty name", [dns("")], "a.portls.test", False),
    ("a dot alone", [dns(".")], "a.portls.test", False),
    ("a wildcard and nothing behind", [dns("*.")], "a.portls.test", False),
    ("a wildcard in the middle", [dns("a.*.portls.test")], "a.b.portls.test", False),
    ("a wildcard at the end", [dns("a.portls.*")], "a.portls.test", False),
    ("a wildcard with a letter behind", [dns("*a.portls.test")], "ba.portls.test", False),
    ("a wildcard with a letter in front", [dns("b*.portls.test")], "ba.portls.test", False),
    ("a wildcard for two labels", [dns("*.portls.test")], "a.b.portls.test", False),
    ("a wildcard for no label", [dns("*.portls.test")], "portls.test", False),
    ("a wildcard of a top-level domain", [dns("*.test")], "portls.test", False),
    ("a wildcard, and the host itself", [dns("*.other.test"), dns("a.portls.test")], "a.portls.test", True),
    ("a wildcard in capitals", [dns("*.PORTLS.test")], "a.portls.TEST", True),
    ("a wildcard for an xn-- label", [dns("*.portls.test")], "xn--bcher-kva.portls.test", True),
    ("a wildcard in an xn-- label", [dns("xn--*.portls.test")], "xn--bcher-kva.portls.test", False),
    ("two wildcards", [dns("*.*.portls.test")], "a.b.portls.test", False),
    ("an IPv4 address", [address(192, 0, 2, 1)], "192.0.2.1", True),
    ("another IPv4 address", [address(192, 0, 2, 1)], "192.0.2.3", False),
    ("the second of two addresses", [address(192, 0, 2, 1), address(192, 0, 2, 3)], "192.0.2.3", True),
    ("an IPv4 address as text", [dns("192.0.2.1")], "192.0.2.1", False),
    ("an IPv4 address in a wildcard", [dns("*.0.2.1")], "192.0.2.1", False),
    ("an IPv6 address", [address(*[0x20, 1, 0xD, 0xB8], *[0] * 11, 1)], "2001:db8::1", True),
    ("another IPv6 address", [address(*[0x20, 1, 0xD, 0xB8], *[0] * 11, 1)], "2001:db8::1:1", False),
    ("an IPv6 address as text", [dns("2001:db8::1")], "2001:db8::1", False),
    ("an IPv4 address in IPv6", [address(*[0] * 10, 0xFF, 0xFF, 192, 0, 2, 1)], "192.0.2.1", False),
    ("an address whose bytes are the host", [address(*b"a.bc")], "a.bc", False),
]

# openssl verify takes a wildcard within a label, unless it is told not to.
PARTIAL = ("a wildcard with a letter behind", "a wildcard with a letter in front")


def add(table):
    root = pki.root("table root")
    good = root.authority("authority")
    for what, listed, host, right in CASES:
        for critical in (False, True):
            word = ", critical" if critical else ""
            table.add(f"{what}{word}", good.leaf(pki.names(*listed, critical=critical), san=False), root,
                      "OK" if right else "NAME", by=RULE, host=host,
                      stricter=RULE if what in PARTIAL else None)
    for what, leaf in (("no names but the common name", good.leaf(san=False, name="a.portls.test")),
                       ("the common name beside an address", good.leaf(
                           pki.names(address(127, 0, 0, 1)), san=False, name="a.portls.test")),
                       ("the common name beside a mail address", good.leaf(
                           pki.names(tlv(0x81, b"a@b.test")), san=False, name="a.portls.test")),
                       ("the common name beside another name", good.leaf(name="a.portls.test"))):
        sure = what == "the common name beside another name"
        table.add(what, leaf, root, "NAME", by=RULE, host="a.portls.test", stricter=None if sure else RULE)
