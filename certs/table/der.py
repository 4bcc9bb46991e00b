"""Writes DER. Knows no rule: a caller may write what the standard forbids."""


def tlv(tag, *parts):
    """An element with the shortest length."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def long_tlv(tag, *parts):
    """An element whose length has a byte more than it needs: BER, not DER."""
    content = b"".join(parts)
    return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content


def indefinite(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def sequence(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def integer(number):
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\0")


def octets(content):
    return tlv(0x04, content)


def bits(content, unused=0):
    return tlv(0x03, bytes([unused]), content)


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    content = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = bytes([arc & 0x7F])
        while arc > 0x7F:
            arc >>= 7
            part = bytes([0x80 | arc & 0x7F]) + part
        content += part
    return tlv(0x06, content)


NULL = b"\x05\x00"


def text(content, kind="utf8"):
    """A string of one of the types that a name may have."""
    tag, encoding = {
        "utf8": (0x0C, "utf-8"),
        "printable": (0x13, "ascii"),
        "t61": (0x14, "latin-1"),
        "ia5": (0x16, "ascii"),
        "universal": (0x1C, "utf-32-be"),
        "bmp": (0x1E, "utf-16-be"),
    }[kind]
    return tlv(tag, content.encode(encoding))


ATTRIBUTES = {
    "CN": "2.5.4.3",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "DC": "0.9.2342.19200300.100.1.25",
    "email": "1.2.840.113549.1.9.1",
}


def attribute(kind, value, string="utf8"):
    if kind == "email":
        string = "ia5"
    return sequence(oid(ATTRIBUTES[kind]), text(value, string))


def name(*rdns):
    """A Name. An RDN is an attribute, or a list of them: a set, in the order given."""
    return sequence(*(set_of(*(rdn if isinstance(rdn, list) else [rdn])) for rdn in rdns))


def time(value):
    """A Time, as RFC 5280 has it: UTCTime until 2049. `value`: YYYYMMDDHHMMSSZ."""
    if 1950 <= int(value[:4]) < 2050:
        return tlv(0x17, value[2:].encode())
    return tlv(0x18, value.encode())
