"""Valid, but rare: what openssl verify accepts is accepted."""

from . import der, pki
from .der import attribute, sequence, tlv


def add_signatures(table, root):
    for algorithm in ("pss-sha256", "pss-sha384", "pss-sha512", "pss-salt-20", "pss-salt-0"):
        for kind in ("rsa", "pss"):
            authority = root.authority("authority", own_key=f"{kind}-authority")
            table.add(f"{algorithm}, of a key of {kind}", authority.leaf(algorithm=algorithm), root, by="RFC 4055")
    authority = root.authority("authority", own_key="rsa-authority")
    for algorithm in ("pss-mask-sha512",):
        table.add(f"{algorithm}", authority.leaf(algorithm=algorithm), root, by="RFC 4055")
    table.add("pss-mask-sha1", authority.leaf(algorithm="pss-mask-sha1"), root, "SIGNATURE", by="RFC 4055",
              stricter="this project: SHA-1 in no part of a signature")
    for what, algorithm, change in (
            ("of another hash", "pss-sha256", pki.pss_algorithm("sha384", "sha384", 32)),
            ("of another mask hash", "pss-sha256", pki.pss_algorithm("sha256", "sha384", 32)),
            ("of another salt", "pss-sha256", pki.pss_algorithm("sha256", "sha256", 48))):
        table.add(f"a PSS signature that says it is {what}", misnamed(root, "rsa-authority", algorithm, change), root,
                  "SIGNATURE", by="RFC 8017, 9.1.2")
    for kind in ("ed25519", "ed448"):
        authority = root.authority("authority", own_key=f"{kind}-authority")
        table.add(f"{kind}, of an authority", authority.leaf(), root, by="RFC 8410")
        own = pki.root(f"{kind} root", own_key=f"{kind}-root")
        table.add(f"{kind}, of a root", own.leaf(), own, by="RFC 8410")


def misnamed(root, key, algorithm, identifier):
    """A chain whose leaf is signed in one way and names another, in both places."""
    name = f"misnamed {identifier.hex()}"
    real = pki.ALGORITHMS[algorithm]
    pki.ALGORITHMS[name] = (identifier, *real[1:])
    return root.authority("authority", own_key=key).leaf(algorithm=name)


def add_broken(table, root):
    """Signatures of each kind that are wrong."""
    for kind, key, algorithm in (("RSA", "rsa-authority", "rsa-sha256"), ("ECDSA", "p256-authority", "ec-sha256"),
                                 ("RSASSA-PSS", "rsa-authority", "pss-sha256"),
                                 ("RSASSA-PSS of a PSS key", "pss-authority", "pss-sha256"),
                                 ("Ed25519", "ed25519-authority", "ed25519"), ("Ed448", "ed448-authority", "ed448")):
        authority = root.authority("authority", own_key=key)
        for what, change in (("a byte changed in it", lambda one: one[:-5] + bytes([one[-5] ^ 1]) + one[-4:]),
                             ("its end missing", lambda one: one[:-1]), ("nothing but zeros", lambda one: bytes(len(one)))):
            table.add(f"a signature of {kind} with {what}", authority.leaf(
                algorithm=algorithm, change_signature=change), root, "SIGNATURE", by="RFC 5280, 6.1.3")
        other = key.split("-")[0] + "-other"
        table.add(f"a signature of {kind} by another key", [pki.certificate(
            pki.subject("localhost"), authority.name, other, "p256-row",
            [*pki.LEAF, pki.names(pki.LOCALHOST)], algorithm=algorithm), *authority.path], root,
            "SIGNATURE", by="RFC 5280, 6.1.3")
        own = pki.root("broken root", own_key=key, algorithm=algorithm,
                       change_signature=lambda one: one[:-5] + bytes([one[-5] ^ 1]) + one[-4:])
        table.add(f"a root with a broken signature of {kind}, which does not count", own.leaf(), own)
    ec = root.authority("authority")
    for what, number in (("RSA", "rsa-sha256"), ("RSASSA-PSS", "pss-sha256"), ("Ed25519", "ed25519")):
        identifier = pki.ALGORITHMS[number][0]
        table.add(f"a signature of ECDSA that says it is {what}", misnamed(root, "p256-authority", "ec-sha256", identifier),
                  root, "OTHER", by="RFC 5280, 6.1.3")
    unknown = sequence(der.oid("1.3.6.1.4.1.55555.4"))
    table.add("a signature of an unknown algorithm", misnamed(root, "p256-authority", "ec-sha256", unknown), root,
              "OTHER", by="RFC 5280, 6.1.3")


def add_names(table, root):
    """Issuer names in another form than the authority has them in."""
    rule = "RFC 5280, 7.1"

    def name(string="utf8", text="Good Corp"):
        return der.name(attribute("O", text, string), attribute("CN", "Authority", string))

    real = root.authority(name())
    for what, other in (("PrintableString", name("printable")), ("T61String", name("t61")),
                        ("BMPString", name("bmp")), ("UniversalString", name("universal")),
                        ("capitals", name(text="GOOD CORP")), ("more spaces", name(text=" Good   Corp "))):
        table.add(f"the issuer's name in {what}", pki.Authority(other, real.key, real.path, real.root).leaf(), root, by=rule)
    for what, other in (("of another text", name(text="Good Corps")),
                        ("of another type", der.name(attribute("OU", "Good Corp"), attribute("CN", "Authority"))),
                        ("in another order", der.name(attribute("CN", "Authority"), attribute("O", "Good Corp"))),
                        ("that is shorter", der.name(attribute("O", "Good Corp"))),
                        ("that is longer", der.name(attribute("O", "Good Corp"), attribute("CN", "Authority"),
                                                    attribute("CN", "x")))):
        table.add(f"an issuer's name {what}", pki.Authority(other, real.key, real.path, real.root).leaf(), root,
                  "UNTRUSTED", by=rule)
    table.add("a subject of a set of two", real.leaf(name=der.name(
        [attribute("O", "a"), attribute("CN", "b")])), root)
    table.add("a subject of 50 parts", real.leaf(name=der.name(*(attribute("OU", f"{i}") for i in range(50)))), root,
              exception=("wolfSSL 5.5.4 with its OpenSSL layer", "OTHER"))
    table.add("a subject in Chinese", real.leaf(name=der.name(attribute("CN", "\u4f8b\u3048"))), root)
    table.add("a subject in BMPString", real.leaf(name=der.name(attribute("CN", "\u4f8b", "bmp"))), root)
    table.add("an empty subject", real.leaf(pki.names(pki.LOCALHOST, critical=True), san=False, name=der.name()), root)
    table.add("alternative names that are critical", real.leaf(
        pki.names(pki.LOCALHOST, critical=True), san=False), root)
    table.add("a hundred alternative names", real.leaf(pki.names(
        *(tlv(0x82, f"name-{i}.portls.test".encode()) for i in range(100))), san=False), root)
    table.add("alternative names of each kind", real.leaf(pki.names(
        pki.LOCALHOST, tlv(0x81, b"a@b.test"), tlv(0x86, b"https://b.test/"), tlv(0x87, b"\x7f\0\0\1"),
        tlv(0x88, der.oid("1.2.3")[2:]), tlv(0xA4, der.name(attribute("CN", "x"))),
        tlv(0xA0, der.oid("1.3.6.1.4.1.55555.3"), tlv(0xA0, der.text("x")))), san=False), root)


def add_rest(table, root):
    good = root.authority("authority")
    table.add("a serial number of 20 bytes", good.leaf(serial=tlv(0x02, b"\x7f" * 20)), root)
    table.add("a serial number of 1", good.leaf(serial=der.integer(1)), root)
    table.add("a certificate that does not end", good.leaf(ends="99991231235959Z"), root, by="RFC 5280, 4.1.2.5")
    table.add("a year before 1970", good.leaf(begins="19600101000000Z"), root)
    for what, begins, ends in (("before 1950", b"19000101000000Z", b"20500101000000Z"),
                               ("before 2050", b"20200101000000Z", b"20490101000000Z")):
        dates = sequence(tlv(0x18, begins), tlv(0x18, ends))
        table.add(f"a GeneralizedTime {what}", good.leaf(validity=dates), root)
    table.add("basic constraints with a false that is written", good.leaf(extensions=[
        pki.extension(19, sequence(der.boolean(False))), *pki.LEAF[1:], pki.names(pki.LOCALHOST)]), root)
    table.add("an extension whose critical is a false that is written", good.leaf(extensions=[
        *pki.LEAF, sequence(der.oid("2.5.29.17"), der.boolean(False), der.octets(sequence(pki.LOCALHOST)))]), root)
    table.add("unique identifiers", good.leaf(unique=tlv(0x81, b"\0x") + tlv(0x82, b"\0y")), root,
              exception=("wolfSSL", "OTHER"))
    table.add("an extension of 4000 bytes", good.leaf(pki.extension("1.3.6.1.4.1.55555.1", der.octets(bytes(4000)))), root)


def add_dates(table, root):
    rule = "RFC 5280, 4.1.2.5"
    for what, options, outcome in (
            ("ends at the end of 2020", {"ends": "20201231235959Z"}, "EXPIRED"),
            ("begins in 2050", {"begins": "20500101000000Z"}, "NOT_YET_VALID"),
            ("begins in 2049", {"begins": "20491231235959Z"}, "NOT_YET_VALID"),
            ("ends in 2049", {"ends": "20491231235959Z"}, "OK"),
            ("ends in 2050", {"ends": "20500101000000Z"}, "OK"),
            ("ended in 1950", {"begins": "19500101000000Z", "ends": "19500101000001Z"}, "EXPIRED"),
            ("ended in 1969", {"begins": "19500101000000Z", "ends": "19691231235959Z"}, "EXPIRED"),
            ("began on a leap day", {"begins": "20200229235959Z"}, "OK"),
            ("ends on the leap day of 2400", {"ends": "24000229000000Z"}, "OK"),
            ("ends before it begins, both past", {"begins": "20210101000000Z", "ends": "20200101000000Z"}, "EXPIRED"),
            ("begins and ends in the future", {"begins": "20900101000000Z"}, "NOT_YET_VALID")):
        table.add(f"a leaf that {what}", root.authority("authority").leaf(**options), root, outcome, by=rule)
        table.add(f"an authority that {what}", root.authority("authority", **options).leaf(), root, outcome, by=rule)
        own = pki.root(f"root that {what}", **options)
        table.add(f"a root that {what}", own.leaf(), own, outcome, by=rule)


def add(table):
    root = pki.root("table root")
    add_signatures(table, root)
    add_broken(table, root)
    add_names(table, root)
    add_rest(table, root)
    add_dates(table, root)
