"""Certificates that are no X.509: each fault in a leaf and in an authority."""

from . import der, pki
from .der import bits, boolean, integer, octets, oid, sequence, tlv

RULE = "X.690 (DER); RFC 5280, 4.1"
EXTENSIONS = "X.690 (DER); RFC 5280, 4.2"


def raw(number, value, critical=b""):
    return sequence(oid(f"2.5.29.{number}"), critical, octets(value))


def elements(content):
    """The elements that follow one another in some DER."""
    found = []
    while content:
        size, head = content[1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(content[2:head], "big")
        found.append(content[:head + size])
        content = content[head + size:]
    return found


def inside(element):
    size = element[1]
    return element[2 + (size & 0x7F if size & 0x80 else 0):]


def changing(place, change):
    """Changes one element of the signed part."""
    def change_body(body):
        parts = elements(inside(body))
        parts[place] = change(parts[place])
        return sequence(*parts)
    return change_body


VERSION, _, _, _, VALIDITY, SUBJECT, KEY, LIST = range(8)  # elements of the signed part


def dates(begins, ends=der.time(pki.UNTIL)):
    return {"validity": sequence(begins, ends)}


def utc(text):
    return tlv(0x17, text.encode())


def general(text):
    return tlv(0x18, text.encode())


# What is wrong, options of a certificate, and where openssl verify accepts it.
BODIES = [
    ("30 February", dates(utc("200230000000Z")), None),
    ("29 February of a common year", dates(utc("210229000000Z")), None),
    ("31 April", dates(utc("200431000000Z")), None),
    ("31 June, in a GeneralizedTime", dates(utc("200101000000Z"), general("20600631000000Z")), None),
    ("29 February of 2100", dates(utc("200101000000Z"), general("21000229000000Z")), None),
    ("month 13", dates(utc("201301000000Z")), None),
    ("month 0", dates(utc("200001000000Z")), None),
    ("day 0", dates(utc("200100000000Z")), None),
    ("hour 24", dates(utc("200101240000Z")), None),
    ("minute 60", dates(utc("200101006000Z")), None),
    ("second 60", dates(utc("200101000060Z")), None),
    ("a UTCTime without seconds", dates(utc("2001010000Z")), None),
    ("a UTCTime with an offset", dates(utc("200101000000+0000")), None),
    ("a GeneralizedTime with a fraction", dates(general("20200101000000.5Z")), None),
    ("a time without Z", dates(utc("200101000000")), None),
    ("letters in a time", dates(utc("2001010000x0Z")), None),
    ("an empty time", dates(utc("")), None),
    ("a time of another type", dates(tlv(0x16, b"200101000000Z")), None),
    ("three times", {"validity": sequence(utc("200101000000Z"), der.time(pki.UNTIL), utc("200101000000Z"))}, None),
    ("one time", {"validity": sequence(utc("200101000000Z"))}, None),
    ("version 4", {"change_body": changing(VERSION, lambda _: tlv(0xA0, integer(3)))}, "both"),
    ("extensions in version 2", {"version": 1}, "both"),
    ("two versions", {"change_body": changing(VERSION, lambda part: part + part)}, None),
    ("a serial number of another type", {"serial": octets(b"\1")}, None),
    ("an empty serial number", {"serial": tlv(0x02, b"")}, None),
    ("a length that is longer than it need be", {"change_body": changing(
        VALIDITY, lambda part: der.long_tlv(0x30, inside(part)))}, "both"),
    ("an indefinite length", {"change_body": changing(
        VALIDITY, lambda part: der.indefinite(0x30, inside(part)))}, "both"),
    ("a length beyond the end", {"change_body": changing(LIST, lambda part: part[:-1])}, None),
    ("a subject that is a set", {"change_body": changing(SUBJECT, lambda part: b"\x31" + part[1:])}, None),
    ("an attribute without a value", {"change_body": changing(SUBJECT, lambda _: sequence(
        tlv(0x31, sequence(oid("2.5.4.3")))))}, None),
    ("an attribute with two values", {"change_body": changing(SUBJECT, lambda _: sequence(
        tlv(0x31, sequence(oid("2.5.4.3"), der.text("a"), der.text("b")))))}, None),
    ("an empty set in the subject", {"change_body": changing(SUBJECT, lambda part: sequence(
        inside(part), tlv(0x31)))}, "both"),
    ("bytes behind the extensions", {"change_body": changing(LIST, lambda part: part + der.NULL)}, None),
    ("two lists of extensions", {"change_body": changing(LIST, lambda part: part + part)}, None),
    ("an empty list of extensions", {"change_body": changing(LIST, lambda _: tlv(0xA3, sequence()))}, "the leaf"),
    ("bytes behind the key", {"change_body": changing(KEY, lambda part: sequence(inside(part), der.NULL))}, None),
]

AUTHORITY_BASIC, LEAF_BASIC = pki.basic(True), pki.basic(False)

# Extensions of a leaf beside or in place of the usual ones.
ALTERNATIVES = [
    ("an address of five bytes", tlv(0x87, b"\x7f\0\0\1\1"), True),
    ("an address of three bytes", tlv(0x87, b"\x7f\0\0"), True),
    ("an empty address", tlv(0x87, b""), True),
    ("a name of an unknown kind", tlv(0x89, b"x"), False),
    ("an element that is no choice", der.text("x"), False),
    ("a null", der.NULL, False),
    ("a DNS name that is constructed", tlv(0xA2, b"\x16\x01x"), True),
    ("a directory name that is no name", tlv(0xA4, der.NULL), False),
    ("an element beyond the end", b"\x82\x20x", False),
    ("half an element", b"\x82", False),
    ("an other name without a value", tlv(0xA0, oid("1.2.3.4")), False),
    ("an ID that is none", tlv(0x88, b"\x80"), False),
    ("a DNS name with a length that is too long", b"\x82\x81\x01x", True),
]

USAGES = [
    ("set bits beyond the declared ones", bits(b"\x81", 1), True),
    ("eight unused bits", tlv(0x03, b"\x08\x80"), False),
    ("no bits at all", tlv(0x03, b""), False),
    ("an empty bit string with unused bits", tlv(0x03, b"\x07"), False),
    ("an octet string", octets(b"\x80"), False),
    ("bytes behind", bits(b"\x80", 7) + der.NULL, True),
    ("nothing", b"", False),
    ("an indefinite length", b"\x23\x80" + bits(b"\x80", 7) + b"\0\0", True),
]

BASICS = [
    ("a boolean of two bytes", sequence(tlv(0x01, b"\xff\xff")), False),
    ("an empty boolean", sequence(tlv(0x01, b"")), False),
    ("bytes behind", sequence() + der.NULL, True),
    ("a third element", sequence(boolean(True), integer(1), integer(1)), False),
    ("a negative path length", sequence(boolean(True), integer(-1)), False),
    ("an empty path length", sequence(boolean(True), tlv(0x02, b"")), False),
    ("a path length with a zero in front", sequence(boolean(True), tlv(0x02, b"\0\1")), False),
    ("a set", tlv(0x31), False),
]

PURPOSES = [
    ("an empty list", sequence(), False),
    ("an element that is no OID", sequence(oid(pki.PURPOSES["server"]), der.NULL), False),
    ("an empty OID", sequence(oid(pki.PURPOSES["server"]), tlv(0x06, b"")), False),
    ("bytes behind", sequence(oid(pki.PURPOSES["server"])) + der.NULL, True),
    ("a set", tlv(0x31, oid(pki.PURPOSES["server"])), False),
]


def add_bodies(table, root):
    good = root.authority("authority")
    for what, options, stricter in BODIES:
        for of in ("the leaf", "an authority"):
            chain = (good.leaf(**options) if of == "the leaf" else
                     root.authority("malformed", **options).leaf(name="below"))
            accepted = stricter == "both" or stricter == of
            table.add(f"{what}, of {of}", chain, root, "OTHER", by=RULE, stricter=RULE if accepted else None)


def add_extensions(table, root):
    good = root.authority("authority")
    basic, usage, purposes = pki.LEAF
    san = pki.names(pki.LOCALHOST)
    for what, element, stricter in ALTERNATIVES:
        table.add(f"alternative names with {what}", good.leaf(pki.names(pki.LOCALHOST, element), san=False),
                  root, "OTHER", by=EXTENSIONS, stricter=EXTENSIONS if stricter else None)
    for number, word, cases, others in ((15, "key usage", USAGES, [basic, purposes, san]),
                                        (19, "basic constraints", BASICS, [usage, purposes, san]),
                                        (37, "purposes", PURPOSES, [basic, usage, san])):
        for what, value, stricter in cases:
            table.add(f"{word}: {what}", good.leaf(extensions=[*others, raw(number, value)]), root,
                      "OTHER", by=EXTENSIONS, stricter=EXTENSIONS if stricter else None)
    for what, value in (("bytes behind", bits(b"\x04", 2) + der.NULL), ("an octet string", octets(b"\x04"))):
        authority = root.authority("authority", extensions=[AUTHORITY_BASIC, raw(15, value)])
        table.add(f"an authority's key usage: {what}", authority.leaf(), root, "OTHER", by=EXTENSIONS,
                  stricter=EXTENSIONS if what == "bytes behind" else None)
    for what, value in (("bytes behind", sequence(boolean(True)) + der.NULL),
                        ("a negative path length", sequence(boolean(True), integer(-1)))):
        authority = root.authority("authority", extensions=[pki.AUTHORITY[1], raw(19, value)])
        table.add(f"an authority's basic constraints: {what}", authority.leaf(), root, "OTHER", by=EXTENSIONS,
                  stricter=EXTENSIONS if what == "bytes behind" else None)


def add_before_right_one(table, root):
    """A malformed leaf, whose place no other certificate takes, even if that has its key and names."""
    good = root.authority("authority")
    _, usage, purposes = pki.LEAF
    malformed = good.leaf(extensions=[usage, purposes, pki.names(pki.LOCALHOST),
                                      raw(19, sequence() + der.NULL)])
    table.add("a malformed leaf before a right one of its key", [malformed[0], *good.leaf()], root,
              "OTHER", by=EXTENSIONS, stricter=EXTENSIONS)


def add_duplicates(table, root):
    good = root.authority("authority")
    unknown = pki.extension("1.3.6.1.4.1.55555.1", der.NULL)
    everything = [("basic constraints", LEAF_BASIC), ("key usage", pki.LEAF[1]), ("purposes", pki.LEAF[2]),
                  ("alternative names", pki.names(pki.LOCALHOST)), ("an unknown one", unknown),
                  ("the subject's key identifier", pki.key_id(b"x")[0])]
    for what, extension in everything:
        listed = [*pki.LEAF, pki.names(pki.LOCALHOST)]
        listed += [extension] if extension in listed else [extension, extension]
        table.add(f"{what} twice", good.leaf(extensions=listed), root, "OTHER", by=EXTENSIONS,
                  stricter=EXTENSIONS if extension == unknown else None)
    one = pki.extension(30, sequence(tlv(0xA0, sequence(pki.LOCALHOST))))
    table.add("an authority's name constraints twice", root.authority("authority", one, one).leaf(), root,
              "OTHER", by=EXTENSIONS)
    table.add("an authority's basic constraints twice", root.authority(
        "authority", AUTHORITY_BASIC).leaf(), root, "OTHER", by=EXTENSIONS)


def add_wholes(table, root):
    """Faults outside the signed part, and between both."""
    good = root.authority("authority")
    chain = good.leaf()
    for what, change, stricter in (
            ("a byte behind the certificate", lambda one: one + b"\0", True),
            ("an element behind the signature", lambda one: sequence(inside(one), der.NULL), False),
            ("a certificate that is too short", lambda one: one[:-1], False),
            ("a certificate that is empty", lambda one: b"", False),
            ("a certificate that is a null", lambda one: der.NULL, False),
            ("a signature whose bits are not whole bytes", lambda one: sequence(
                *elements(inside(one))[:2], bits(inside(elements(inside(one))[2])[1:], 1)), False),
            ("an empty signature", lambda one: sequence(*elements(inside(one))[:2], bits(b"")), False),
    ):
        rule = RULE if stricter else None
        table.add(f"{what}, of the leaf", [change(chain[0]), *chain[1:]], root, "OTHER", by=RULE, stricter=rule)
        table.add(f"{what}, of an authority", [chain[0], change(chain[1])], root, "OTHER", by=RULE, stricter=rule)
    # OpenSSL keeps the bytes of the signed part only, and shows all else in DER.
    for what, change in (("an indefinite length", lambda one: der.indefinite(0x30, inside(one))),
                         ("a length that is too long", lambda one: b"\x30\x83\x00" + one[2:])):
        table.add(f"a certificate with {what}, of the leaf", [change(chain[0]), *chain[1:]], root,
                  exception=("wolfSSL", "OTHER"))
        table.add(f"a certificate with {what}, of an authority", [chain[0], change(chain[1])], root,
                  exception=("wolfSSL", "OTHER"))
    null = sequence(oid("1.2.840.10045.4.3.2"), der.NULL)
    for what, inner in (("of another hash", pki.ALGORITHMS["ec-sha384"][0]), ("of RSA", pki.ALGORITHMS["rsa-sha256"][0]),
                        ("of a weak hash", pki.ALGORITHMS["ec-sha1"][0]), ("with other parameters", null)):
        by = "RFC 5280, 4.1.1.2"
        table.add(f"the signed part names an algorithm {what}, of the leaf", good.leaf(inner=inner), root, "OTHER", by=by)
        table.add(f"the signed part names an algorithm {what}, of an authority",
                  root.authority("authority", inner=inner).leaf(), root, "OTHER", by=by)


def add(table):
    root = pki.root("table root")
    add_bodies(table, root)
    add_extensions(table, root)
    add_before_right_one(table, root)
    add_duplicates(table, root)
    add_wholes(table, root)
