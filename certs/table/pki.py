"""Keys, certificates and authorities. The openssl command makes the keys and the signatures."""

import pathlib
import subprocess

from . import der
from .der import bits, integer, octets, oid, sequence, tlv

FROM, UNTIL = "20200101000000Z", "20991231235959Z"
LOCALHOST = tlv(0x82, b"localhost")

_work = None
_keys = {}


def begin(work):
    """Tells where keys are kept."""
    global _work
    _work = pathlib.Path(work)


def openssl(*arguments, text=None):
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


# ---- keys ----

_KINDS = {
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "rsa1024": ("RSA", "rsa_keygen_bits:1024"),
    "rsa2047": ("RSA", "rsa_keygen_bits:2047"),
    "pss": ("RSA-PSS", "rsa_keygen_bits:2048"),
    "p192": ("EC", "ec_paramgen_curve:P-192"),
    "p224": ("EC", "ec_paramgen_curve:P-224"),
    "p256": ("EC", "ec_paramgen_curve:P-256"),
    "p384": ("EC", "ec_paramgen_curve:P-384"),
    "p521": ("EC", "ec_paramgen_curve:P-521"),
    "explicit": ("EC", "ec_paramgen_curve:P-256", "ec_param_enc:explicit"),
    "ed25519": ("ED25519",),
    "ed448": ("ED448",),
}


class Key:
    """A private key in a file, made when it is first asked for. Its name begins with its kind."""

    def __init__(self, name):
        self.kind = name.split("-")[0]
        self.path = _work / f"{name}.key"
        algorithm, *options = _KINDS[self.kind]
        options = [part for option in options for part in ("-pkeyopt", option)]
        openssl("genpkey", "-algorithm", algorithm, *options, "-out", self.path)
        self.spki = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")


def key(name):
    if name not in _keys:
        _keys[name] = Key(name)
    return _keys[name]


# ---- signature algorithms: an AlgorithmIdentifier and how openssl is told to make one ----

_HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
           "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}


def _hash(kind):
    return sequence(oid(_HASHES[kind]), der.NULL)


def pss_algorithm(digest, mask, salt):
    """RSASSA-PSS-params without what is the default: SHA-1 and a salt of 20 bytes."""
    parts = b""
    if digest != "sha1":
        parts += tlv(0xA0, _hash(digest))
    if mask != "sha1":
        parts += tlv(0xA1, sequence(oid("1.2.840.113549.1.1.8"), _hash(mask)))
    if salt != 20:
        parts += tlv(0xA2, integer(salt))
    return sequence(oid("1.2.840.113549.1.1.10"), sequence(parts))


def pss(digest, mask=None, salt=32):
    mask = mask or digest
    options = ["rsa_padding_mode:pss", f"rsa_pss_saltlen:{salt}", f"rsa_mgf1_md:{mask}"]
    return pss_algorithm(digest, mask, salt), digest, options


def _rsa(digest, number):
    return sequence(oid(f"1.2.840.113549.1.1.{number}"), der.NULL), digest, []


def _ec(digest, arc):
    return sequence(oid(f"1.2.840.10045.4.{arc}")), digest, []


ALGORITHMS = {
    "rsa-md5": _rsa("md5", 4), "rsa-sha1": _rsa("sha1", 5), "rsa-sha224": _rsa("sha224", 14),
    "rsa-sha256": _rsa("sha256", 11), "rsa-sha384": _rsa("sha384", 12),
    "rsa-sha512": _rsa("sha512", 13),
    "ec-sha1": _ec("sha1", "1"), "ec-sha224": _ec("sha224", "3.1"), "ec-sha256": _ec("sha256", "3.2"),
    "ec-sha384": _ec("sha384", "3.3"), "ec-sha512": _ec("sha512", "3.4"),
    "ed25519": (sequence(oid("1.3.101.112")), None, []),
    "ed448": (sequence(oid("1.3.101.113")), None, []),
    "pss-sha1": pss("sha1", salt=20), "pss-sha256": pss("sha256"),
    "pss-sha384": pss("sha384", salt=48), "pss-sha512": pss("sha512", salt=64),
    "pss-mask-sha1": pss("sha256", mask="sha1"), "pss-mask-sha512": pss("sha256", mask="sha512"),
    "pss-salt-20": pss("sha256", salt=20), "pss-salt-0": pss("sha256", salt=0),
}

_DEFAULT = {"rsa": "rsa-sha256", "rsa1024": "rsa-sha256", "rsa2047": "rsa-sha256",
            "pss": "pss-sha256", "ed25519": "ed25519", "ed448": "ed448"}


def _sign(signer, algorithm, content):
    _, digest, options = ALGORITHMS[algorithm]
    options = [part for option in options for part in ("-sigopt", option)]
    if digest is not None:
        return openssl("dgst", f"-{digest}", *options, "-sign", signer.path, text=content)
    (_work / "content").write_bytes(content)
    return openssl("pkeyutl", "-sign", "-rawin", "-inkey", signer.path, "-in", _work / "content")


# ---- extensions ----


def extension(number, value, critical=False):
    """`number`: an OID, or the last arc of one in 2.5.29."""
    type_of = oid(number if "." in str(number) else f"2.5.29.{number}")
    return sequence(type_of, der.boolean(True) if critical else b"", octets(value))


def basic(authority, length=None):
    content = der.boolean(True) if authority else b""
    return extension(19, sequence(content, b"" if length is None else integer(length)), True)


_USAGES = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
           "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"]


def usage(*kinds, critical=True):
    number = sum(1 << 15 - _USAGES.index(kind) for kind in kinds)
    content = number.to_bytes(2, "big")
    content = content if number & 0xFF else content[:1]
    unused = 0
    while not int.from_bytes(content, "big") >> unused & 1:
        unused += 1
    return extension(15, bits(content, unused), critical)


PURPOSES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2",
            "code": "1.3.6.1.5.5.7.3.3", "mail": "1.3.6.1.5.5.7.3.4", "time": "1.3.6.1.5.5.7.3.8",
            "ocsp": "1.3.6.1.5.5.7.3.9", "any": "2.5.29.37.0", "netscape": "2.16.840.1.113730.4.1",
            "other": "1.3.6.1.4.1.55555.2"}


def purposes(*kinds, critical=False):
    return extension(37, sequence(*(oid(PURPOSES[kind]) for kind in kinds)), critical)


def names(*general_names, critical=False):
    return extension(17, sequence(*general_names), critical)


def key_id(own=None, issuer=None):
    """Subject and authority key identifiers, of one byte string each."""
    return ([extension(14, octets(own))] if own else []) + (
        [extension(35, sequence(tlv(0x80, issuer)))] if issuer else [])


def netscape(*bit_numbers):
    """Netscape's certificate type: 0 client, 1 server, 5 TLS authority."""
    number = sum(0x80 >> bit for bit in bit_numbers)
    return extension("2.16.840.1.113730.1.1", bits(bytes([number]), 0 if number & 1 else 7 - max(bit_numbers)))


AUTHORITY = (basic(True), usage("keyCertSign", "cRLSign"))
LEAF = (basic(False), usage("digitalSignature"), purposes("server", "client"))

# ---- certificates ----


def subject(common_name):
    return der.name(der.attribute("O", "portls test"), der.attribute("CN", common_name))


_made = {}


def certificate(*arguments, **options):
    """_certificate, once for each description, unless that has a function."""
    if any(callable(option) for option in options.values()):
        return _certificate(*arguments, **options)
    described = repr((arguments, sorted(options.items())))
    if described not in _made:
        _made[described] = _certificate(*arguments, **options)
    return _made[described]


_serial = 0


def _certificate(name, issuer, signer, own_key, extensions, *, begins=FROM, ends=UNTIL,
                algorithm=None, inner=None, version=2, validity=None, serial=None, spki=None,
                unique=b"", change_body=None, change_signature=None):
    """A certificate. `inner`: the algorithm that its signed part names, if another; `validity`,
    `serial`, `spki`: DER in place of the usual; `change_body`, `change_signature`: functions."""
    global _serial
    _serial += 1
    signer = key(signer)
    algorithm = algorithm or _DEFAULT.get(signer.kind, "ec-sha256")
    identifier = ALGORITHMS[algorithm][0]
    listed = tlv(0xA3, sequence(*extensions)) if extensions is not None else b""
    body = sequence(
        tlv(0xA0, integer(version)) if version else b"", serial or integer(1 << 64 | _serial),
        inner or identifier, issuer, validity or sequence(der.time(begins), der.time(ends)),
        name, spki or key(own_key).spki, unique, listed)
    if change_body:
        body = change_body(body)
    signature = _sign(signer, algorithm, body)
    if change_signature:
        signature = change_signature(signature)
    return sequence(body, identifier, bits(signature))


class Authority:
    """A name, a key, and certificates of them: `path` leads to below the root, `root` is it."""

    def __init__(self, name, own_key, path=(), root=None):
        self.name, self.key, self.path, self.root = name, own_key, tuple(path), root

    def authority(self, name, *more, own_key="p256-authority", extensions=None, **options):
        """An authority below this one. `more`: extensions beside the usual ones."""
        name = subject(name) if isinstance(name, str) else name
        one = certificate(name, self.name, self.key, own_key,
                          [*(AUTHORITY if extensions is None else extensions), *more], **options)
        return Authority(name, own_key, [one, *self.path], self.root)

    def leaf(self, *more, name="localhost", own_key="p256-row", extensions=None, san=True, **options):
        """A chain: an end entity of this authority and the authorities above it."""
        if extensions is None:
            extensions = [*LEAF, *more] + ([names(LOCALHOST)] if san else [])
        name = subject(name) if isinstance(name, str) else name
        one = certificate(name, self.name, self.key, own_key, extensions, **options)
        return [one, *self.path]


def root(name, *more, own_key="p256-root", extensions=None, **options):
    name = subject(name) if isinstance(name, str) else name
    listed = [*(AUTHORITY if extensions is None else extensions), *more]
    one = certificate(name, name, own_key, own_key, listed if extensions != "none" else None,
                      **options)
    return Authority(name, own_key, [], one)
