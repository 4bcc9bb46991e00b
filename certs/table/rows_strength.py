"""Strength: at least 112 bits of security, in each key and in each signature but the root's own."""

from . import der, pki

RULE = "NIST SP 800-57, 112 bits, and RFC 9155 for MD5 and SHA-1"

# What an authority with this key signs like that is refused.
WEAK_SIGNATURES = [("MD5 with RSA", "rsa-authority", "rsa-md5"), ("SHA-1 with RSA", "rsa-authority", "rsa-sha1"),
                   ("ECDSA with SHA-1", "p256-authority", "ec-sha1"),
                   ("RSASSA-PSS with SHA-1", "rsa-authority", "pss-sha1")]
STRONG_SIGNATURES = [("SHA-224 with RSA", "rsa-authority", "rsa-sha224"),
                     ("SHA-384 with RSA", "rsa-authority", "rsa-sha384"),
                     ("SHA-512 with RSA", "rsa-authority", "rsa-sha512"),
                     ("ECDSA with SHA-384", "p256-authority", "ec-sha384"),
                     ("ECDSA with SHA-512", "p256-authority", "ec-sha512")]
WEAK_KEYS = [("RSA with 1024 bits", "rsa1024-weak"), ("RSA with 2047 bits", "rsa2047-weak"),
             ("P-192", "p192-weak"), ("explicit EC parameters", "explicit-weak")]


def add_signatures(table, root):
    for what, key, algorithm in WEAK_SIGNATURES + STRONG_SIGNATURES:
        outcome = "SIGNATURE" if (what, key, algorithm) in WEAK_SIGNATURES else "OK"
        authority = root.authority("authority", own_key=key)
        table.add(f"{what}, of the leaf", authority.leaf(algorithm=algorithm), root, outcome, by=RULE)
        own = pki.root(f"root {algorithm}", own_key=key)
        table.add(f"{what}, of an authority", own.authority("authority", algorithm=algorithm).leaf(),
                  own, outcome, by=RULE)
        own = pki.root(f"own {algorithm}", own_key=key, algorithm=algorithm)
        table.add(f"{what}, of the root itself, which does not count", own.authority("authority").leaf(),
                  own, by=RULE)
        leaf = root.authority("trusted", own_key=key).leaf(algorithm=algorithm)
        table.add(f"{what}, of a trusted leaf, which does not count", leaf[:1], leaf[:1], by=RULE)


def add_keys(table, root):
    for what, key in WEAK_KEYS:
        stricter = RULE if key.startswith("rsa2047") else None  # 112 bits by OpenSSL's formula
        table.add(f"{what}, of the leaf", root.authority("authority").leaf(own_key=key), root,
                  "SIGNATURE", by=RULE, key=key, stricter=stricter,
                  exception=("wolfSSL", "OTHER") if key == "p192-weak" else None)
        table.add(f"{what}, of an authority", root.authority("weak authority", own_key=key).leaf(),
                  root, "SIGNATURE", by=RULE, stricter=stricter)
        own = pki.root(f"root {key}", own_key=key)
        table.add(f"{what}, of the root", own.authority("authority").leaf(), own, "SIGNATURE", by=RULE,
                  stricter=stricter)
    for what, key in (("P-384", "p384-key"), ("P-521", "p521-key")):
        table.add(f"{what}, of an authority", root.authority("authority", own_key=key).leaf(), root)


def add_rsa(table, root):
    """RSA keys that no tool makes: what is changed is the SubjectPublicKeyInfo, and the signature is of
    the real key."""
    real = pki.key("rsa-authority")
    kind = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL)
    modulus = int(pki.openssl("rsa", "-in", real.path, "-modulus", "-noout").split(b"=")[1], 16)

    def spki(number, exponent):
        return der.sequence(kind, der.bits(der.sequence(der.integer(number), der.integer(exponent))))

    for what, number, exponent in (("an exponent of 1", modulus, 1), ("an even modulus", modulus - 1, 65537),
                                   ("an exponent of 0", modulus, 0), ("a negative modulus", -modulus, 65537)):
        authority = root.authority("odd RSA", own_key="rsa-authority", spki=spki(number, exponent))
        table.add(f"RSA with {what}, of an authority", authority.leaf(), root, "OTHER", by="RFC 8017, 3.1")


def add_points(table, root):
    """EC keys that are no points of their curve."""
    good = pki.key("p256-authority").spki
    for what, spki in (("a point that is not on the curve", good[:-1] + bytes([good[-1] ^ 1])),
                       ("the point at infinity", der.sequence(
                           der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")),
                           der.bits(b"\0"))),
                       ("an unknown curve", der.sequence(
                           der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.3.6.1.4.1.55555.9")),
                           der.bits(good[-65:])))):
        table.add(f"EC with {what}, of an authority", root.authority("odd EC", spki=spki).leaf(), root,
                  "OTHER", by="RFC 5480, 2.2")


def add(table):
    root = pki.root("table root")
    add_signatures(table, root)
    add_keys(table, root)
    add_rsa(table, root)
    add_points(table, root)
