#!/usr/bin/env python3
"""Makes the seeds of the fuzz programs from the test certificates: make_seeds.py CERTS OUTPUT

Writes OUTPUT/<program>/<name>. The format of each program's input is at the top of its source.
"""
import base64
import calendar
import pathlib
import re
import sys

NOW = calendar.timegm((2026, 1, 1, 0, 0, 0)) >> 16
BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----\n([^-]*)-----END")


def element(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def certificates(path):
    return [base64.b64decode(body) for label, body in BLOCK.findall(path.read_bytes())
            if label == b"CERTIFICATE"]


def chain(flags, host, peers, roots, bad=0):
    choices = bytes([flags, len(roots)]) + bad.to_bytes(8, "big") + NOW.to_bytes(2, "big")
    return element(0x04, choices) + element(0x0c, host) + b"".join(peers + roots)


def split(der):
    """Returns the elements of some DER."""
    parts = []
    while der:
        size, header = der[1], 2
        if size >= 0x80:
            header += size & 0x7f
            size = int.from_bytes(der[2:header], "big")
        parts.append((der[0], der[header:header + size], der[:header + size]))
        der = der[header + size:]
    return parts


def extension(certificate, number):
    """Returns the value of extension 2.5.29.number, or a NULL."""
    signed = split(split(certificate)[0][1])[0][1]
    for tag, content, _ in split(signed):
        if tag == 0xa3:
            for _, one, _ in split(split(content)[0][1]):
                parts = split(one)
                if parts[0][1] == bytes([0x55, 0x1d, number]):
                    return parts[-1][1]
    return b"\x05\x00"


def subject(certificate):
    signed = split(split(split(certificate)[0][1])[0][1])
    return signed[5 if signed[0][0] == 0xa0 else 4][2]


def main(certs, output):
    def write(program, name, content):
        folder = output / program
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    roots = certificates(certs / "root.pem")
    for path in sorted(certs.glob("*.pem")) + sorted(certs.glob("verify/*.pem")):
        found = certificates(path)
        if not found:
            continue
        if path.name.endswith(".chain.pem"):
            # As a server with its name checked, and as a client.
            write("chain", path.stem, chain(2, b"localhost", found, roots))
            write("chain", path.stem + ".client", chain(1, b"", found, roots))
            constraints = [extension(one, 0x1e) for one in found[1:]] + [b"\x05\x00"]
            write("names", path.stem, element(0x0c, b"localhost") + subject(found[0]) +
                  extension(found[0], 0x11) + max(constraints))
        else:
            write("certificate", path.stem, found[0])
    for path in sorted(certs.glob("*.pem"))[:12]:
        write("credentials", path.name, b"\0" + path.read_bytes())
    for path in certs.glob("*.key"):
        if path.stat().st_size < 4000:
            write("credentials", path.name, b"\3" + path.read_bytes())
            write("credentials", path.name + ".rsa", b"\1" + path.read_bytes())
    for path in certs.glob("*.der"):
        write("credentials", path.name, b"\7" + path.read_bytes())
    for number, text in enumerate(("localhost", "Example.COM.", "_a.xn--bcher-kva.test", "192.0.2.1",
                                   "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0", "::")):
        write("hostname", str(number), text.encode())
    # Actions of transport.c: a handshake, data both ways, a close, and some tampering.
    for number, script in enumerate((
            "08", "09", "0c 0a30 8a40 0600 0500 0600", "0a 20 ca10 0600", "00 4c ff cc ff 0605",
            "08 0a40 0e10 0208 80 0600", "09 8a40 0100 8a10 0600", "0c 0a10 8510 0600 8810",
            "08 0005 1503030002 0100 0600", "00 0800 4cff 00 0a 1603030005 0b00000101 0600",
            "0c 4a40 ca40 0600 0300 0600")):
        write("transport", str(number), bytes.fromhex(script))


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
