"""Purposes, key usage, path lengths, Netscape's type, and critical extensions."""

from . import der, pki
from .der import integer, octets, oid, sequence, tlv

PURPOSE = "RFC 5280, 4.2.1.12"
SAN = pki.names(pki.LOCALHOST)
BASIC, USAGE, FOR_BOTH = pki.LEAF


def add_purposes(table, root):
    good = root.authority("authority")
    for kinds, server, client in (
            ((), True, True), (("server",), True, False), (("client",), False, True),
            (("server", "client"), True, True), (("code",), False, False), (("mail",), False, False),
            (("time",), False, False), (("ocsp",), False, False), (("any",), False, False),
            (("other",), False, False), (("any", "server"), True, False), (("netscape",), False, False),
            (("mail", "client", "server"), True, True), (("other", "server"), True, False)):
        listed = [pki.purposes(*kinds)] if kinds else []
        word = ", ".join(kinds) or "none"
        for role, right in (("server", server), ("client", client)):
            # OpenSSL takes server gated cryptography for serverAuth.
            stricter = PURPOSE if kinds == ("netscape",) and role == "server" else None
            table.add(f"{role}: a leaf with the purposes {word}", good.leaf(
                extensions=[BASIC, USAGE, *listed, SAN]), root, "OK" if right else "PURPOSE",
                by=PURPOSE, stricter=stricter, client=role == "client")
            authority = root.authority("authority", *listed)
            table.add(f"{role}: an authority with the purposes {word}", authority.leaf(), root,
                      "OK" if right else "PURPOSE", by=PURPOSE, stricter=stricter, client=role == "client")
    table.add("critical purposes, for servers", good.leaf(
        extensions=[BASIC, USAGE, pki.purposes("server", critical=True), SAN]), root, by=PURPOSE)
    table.add("critical purposes, for clients", good.leaf(
        extensions=[BASIC, USAGE, pki.purposes("client", critical=True), SAN]), root, "PURPOSE", by=PURPOSE)


def add_usages(table, root):
    rule = "RFC 5280, 4.2.1.3; RFC 8446, 4.4.2.2"
    good = root.authority("authority")
    for kind in pki._USAGES:
        leaf = good.leaf(extensions=[BASIC, pki.usage(kind), FOR_BOTH, SAN])
        signs = kind == "digitalSignature"
        if signs or kind in ("keyCertSign", "cRLSign", "dataEncipherment", "encipherOnly", "decipherOnly",
                             "nonRepudiation", "keyAgreement", "keyEncipherment"):
            known = kind in ("keyEncipherment", "keyAgreement")
            table.add(f"a leaf with the key usage {kind}", leaf, root, "OK" if signs else "PURPOSE", by=rule,
                      stricter=rule if known else None)
        authority = root.authority("authority", extensions=[pki.basic(True), pki.usage(kind)])
        table.add(f"an authority with the key usage {kind}", authority.leaf(), root,
                  "OK" if kind == "keyCertSign" else "CONSTRAINT", by=rule)
    table.add("key usage that is not critical, and not for signing", good.leaf(
        extensions=[BASIC, pki.usage("dataEncipherment", critical=False), FOR_BOTH, SAN]), root, "PURPOSE", by=rule)
    every = root.authority("authority", extensions=[pki.basic(True), pki.usage(*pki._USAGES)])
    table.add("an authority with every key usage", every.leaf(), root, by=rule)
    table.add("a leaf with every key usage", good.leaf(
        extensions=[BASIC, pki.usage(*pki._USAGES), FOR_BOTH, SAN]), root, by=rule)
    table.add("a leaf without key usage", good.leaf(extensions=[BASIC, FOR_BOTH, SAN]), root, by=rule)
    table.add("an authority without key usage", root.authority("authority", extensions=[
        pki.basic(True)]).leaf(), root, by=rule)
    table.add("an authority without any extension but basic constraints that are not critical", root.authority(
        "authority", extensions=[pki.extension(19, sequence(der.boolean(True)))]).leaf(), root, by=rule)
    table.add("a leaf that is an authority, with the usage of a leaf", good.leaf(
        extensions=[pki.basic(True), USAGE, FOR_BOTH, SAN]), root, by=rule)


def add_lengths(table):
    rule = "RFC 5280, 4.2.1.9"
    for length, below, outcome in ((0, 0, "OK"), (0, 1, "CONSTRAINT"), (0, 2, "CONSTRAINT"), (1, 1, "OK"), (1, 2, "CONSTRAINT"),
                                   (2, 2, "OK"), (2, 3, "CONSTRAINT"), (127, 2, "OK"), (128, 2, "OK"), (300, 2, "OK")):
        extensions = [pki.basic(True, length), pki.AUTHORITY[1]]
        for where in ("a root", "an authority"):
            root = pki.root("table root", extensions=extensions if where == "a root" else None)
            authority = root if where == "a root" else root.authority("authority 0", extensions=extensions)
            for i in range(below):
                authority = authority.authority(f"authority {i + 1}", own_key=f"p256-authority-{i % 2}")
            table.add(f"{where} with a path length of {length}, {below} below", authority.leaf(), root, outcome, by=rule)
    root = pki.root("table root")
    upper = root.authority("same", *pki.key_id(b"old"), extensions=[pki.basic(True, 0), pki.AUTHORITY[1]])
    new = upper.authority("same", *pki.key_id(b"new", b"old"), own_key="p256-new")
    table.add("an authority issued by itself does not count in a path length",
              new.leaf(*pki.key_id(None, b"new")), root, by=rule)
    # A leaf does not count, and its own path length is nothing to it.
    table.add("a leaf's own path length", root.authority("authority").leaf(
        extensions=[pki.basic(True, 0), USAGE, FOR_BOTH, SAN]), root, by=rule)
    inner = root.authority("authority 0", extensions=[pki.basic(True, 5), pki.AUTHORITY[1]]).authority(
        "authority 1", extensions=[pki.basic(True, 0), pki.AUTHORITY[1]])
    table.add("the lower path length is kept", inner.leaf(), root, by=rule)
    table.add("the lower path length is not kept", inner.authority("authority 2", own_key="p256-new").leaf(), root,
              "CONSTRAINT", by=rule)


def add_authorities(table, root):
    rule = "RFC 5280, 4.2.1.9 and 6.1.4 (k)"
    for what, extensions in (("CA:FALSE", [pki.basic(False), pki.AUTHORITY[1]]),
                             ("CA:FALSE that is not critical", [pki.extension(19, sequence()), pki.AUTHORITY[1]]),
                             ("no basic constraints", [pki.AUTHORITY[1]]), ("no extension that matters", [SAN])):
        table.add(f"issued by one with {what}", root.authority("authority", extensions=extensions).leaf(),
                  root, "CONSTRAINT", by=rule)
    old = root.authority("authority", extensions=[], version=0)
    table.add("issued by one of version 1, with an empty list", old.leaf(), root, "OTHER", by=rule)
    for version in (0, 1):
        one = pki.certificate(pki.subject("old"), root.name, root.key, "p256-authority", None, version=version)
        table.add(f"issued by one of version {version + 1}",
                  pki.Authority(pki.subject("old"), "p256-authority", [one], root.root).leaf(), root, "CONSTRAINT", by=rule)
    one = pki.root("old root", extensions="none", version=0)
    table.add("a root of version 1", one.leaf(), one)
    table.add("a root of version 1, two levels down", one.authority("authority").leaf(), one)
    one = pki.root("old root", extensions=[])
    table.add("a leaf of version 1", [pki.certificate(pki.subject("localhost"), root.name, root.key, "p256-row",
                                                     None, version=0)], root)


NETSCAPE = "Netscape Certificate Extensions, as openssl verify has them"


def add_netscape(table, root):
    good = root.authority("authority")
    for what, bits, server, client in (("client", [0], False, True), ("server", [1], True, False),
                                       ("client and server", [0, 1], True, True), ("mail", [2], False, False)):
        leaf = [BASIC, USAGE, pki.netscape(*bits), SAN]
        for role, right in (("server", server), ("client", client)):
            table.add(f"{role}: Netscape's type {what}", good.leaf(extensions=leaf), root,
                      "OK" if right else "PURPOSE", by=NETSCAPE, client=role == "client")
    for what, bits in (("TLS authority", [5]), ("mail authority", [6]), ("server", [1])):
        authority = root.authority("authority", pki.netscape(*bits))
        table.add(f"an authority with basic constraints and Netscape's type {what}", authority.leaf(), root, by=NETSCAPE)
    for what, bits in (("TLS authority", [5]), ("mail authority", [6])):
        authority = root.authority("authority", pki.netscape(*bits), extensions=[pki.AUTHORITY[1]])
        table.add(f"an authority with Netscape's type {what} in place of basic constraints", authority.leaf(), root,
                  "CONSTRAINT", by="RFC 5280, 6.1.4 (k)")


# Extensions of 2.5.29 that are not checked.
ARC = [
    ("subject directory attributes", 9, sequence(sequence(oid("1.3.6.1.5.5.7.9.4"), der.set_of(
        der.text("JP", "printable"))))), ("a private key usage period", 16, sequence()),
    ("the issuer's alternative names", 18, sequence(pki.LOCALHOST)),
    ("a CRL number", 20, integer(1)), ("an instruction code", 23, oid("1.2.3")),
    ("an invalidity date", 24, der.tlv(0x18, b"20200101000000Z")),
    ("a delta CRL indicator", 27, integer(1)), ("a certificate issuer", 29, sequence(pki.LOCALHOST)),
    ("one with an arc of two bytes", 200, der.NULL), ("one that is not there", 99, der.NULL),
    ("one whose arc is that of basic constraints in its last byte", 128 * 19 + 19, der.NULL),
]
POLICY = "2.23.140.1.2.1"
CRITICAL = [
    ("certificate policies", 32, sequence(sequence(oid(POLICY)))), ("any policy", 32, sequence(sequence(oid("2.5.29.32.0")))),
    ("CRL distribution points", 31, sequence(sequence(tlv(0xA0, tlv(0xA0, tlv(0x86, b"http://x.test/c"))))))
]


def add_critical(table, root):
    rule = "RFC 5280, 4.2"
    good = root.authority("authority")
    cases = [(what, pki.extension(number, value, True)) for what, number, value in ARC]
    cases += [("one of nobody", pki.extension("1.3.6.1.4.1.55555.1", der.NULL, True)),
              ("one of the PKIX arc", pki.extension("1.3.6.1.5.5.7.1.99", der.NULL, True)),
              ("one of another arc of 2.5", pki.extension("2.5.30.19", der.NULL, True)),
              ("one whose OID only begins like another", pki.extension("2.5.29.19.1", der.NULL, True))]
    for what, one in cases:
        table.add(f"critical and unknown: {what}, of the leaf", good.leaf(one), root, "CONSTRAINT", by=rule)
        table.add(f"critical and unknown: {what}, of an authority", root.authority("authority", one).leaf(), root,
                  "CONSTRAINT", by=rule)
    for what, number, value in ARC:
        table.add(f"not critical: {what}, of the leaf", good.leaf(pki.extension(number, value)), root, by=rule)
    one = pki.extension(99, der.NULL, True)
    own = pki.root("critical root", one)
    table.add("critical and unknown, of the root", own.leaf(), own, "CONSTRAINT", by=rule)
    leaf = good.leaf(one)
    table.add("critical and unknown, of a trusted leaf", leaf[:1], leaf[:1], "CONSTRAINT", by=rule)
    for what, number, value in CRITICAL:
        table.add(f"critical {what}, of the leaf", good.leaf(pki.extension(number, value, True)), root, by=rule)
        table.add(f"critical {what}, of an authority", root.authority("authority", pki.extension(
            number, value, True)).leaf(), root, by=rule)


def add(table):
    root = pki.root("table root")
    add_purposes(table, root)
    add_usages(table, root)
    add_lengths(table)
    add_authorities(table, root)
    add_netscape(table, root)
    add_critical(table, root)
