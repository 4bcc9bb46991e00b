#!/usr/bin/env python3
"""Makes the generated rows of the verification table.

    certs/make-table.py OUTPUT_DIR          the chains, in OUTPUT_DIR/table, and OUTPUT_DIR/verify_rows.c
    certs/make-table.py --check OUTPUT_DIR  compares the rows with openssl verify, and
                                          the exceptions with docs/backends.md

certs/table/ has the rows by subject. Needs Python 3 and the openssl command, version 3.
"""

import base64
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BACKENDS = HERE.parent / "docs" / "backends.md"
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from table import (pki, rows_constraints, rows_extensions, rows_malformed, rows_names, rows_paths,
                   rows_rare, rows_strength)  # noqa: E402
from table.rows import Table  # noqa: E402

SUBJECTS = (rows_constraints, rows_strength, rows_malformed, rows_rare, rows_extensions, rows_paths,
            rows_names)


def pem(certificates):
    blocks = []
    for one in certificates:
        blocks += ["-----BEGIN CERTIFICATE-----",
                   base64.encodebytes(one).decode().rstrip("\n"), "-----END CERTIFICATE-----", ""]
    return "\n".join(blocks)


def quoted(text):
    return "NULL" if text is None else '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def source(table):
    lines = ["/* Made by certs/make-table.py. */", '#include "verify_rows.h"', "",
             "const struct verify_generated verify_rows[] = {"]
    for row in table.rows:
        fields = [quoted(row.what), quoted(row.by), quoted(row.number), quoted(row.key),
                  quoted(row.host), "true" if row.client else "false",
                  "PORTLS_VERIFY_" + row.outcome, quoted(row.exception[0]),
                  "PORTLS_VERIFY_" + row.exception[1]]
        lines.append("    {%s}," % ", ".join(fields))
    lines += ["};", "", "const size_t verify_rows_size = sizeof verify_rows / sizeof verify_rows[0];"]
    return "\n".join(lines) + "\n"


def make(output):
    folder = output / "table"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pki.begin(folder)
    table = Table()
    for rows in SUBJECTS:
        rows.add(table)
    base = pki.root("base")
    (folder / "base.chain.pem").write_text(pem(base.authority("authority").leaf()))
    shutil.copy(pki.key("p256-row").path, folder / "base.key")
    for row in table.rows:
        (folder / f"{row.number}.chain.pem").write_text(pem(row.chain))
        (folder / f"{row.number}.roots.pem").write_text(pem(row.roots))
    (folder / "rows.txt").write_text("".join(
        "\t".join([row.number, row.outcome, row.host or "", "client" if row.client else "server",
                   "stricter" if row.stricter else "", row.exception[0] or "", row.what]) + "\n"
        for row in table.rows))
    (output / "verify_rows.c").write_text(source(table))


# ---- comparing ----


def accepted_by_openssl(folder, number, host, role):
    """What openssl verify says, of chains whose roots are trusted as they are."""
    chain = folder / f"{number}.chain.pem"
    command = ["openssl", "verify", "-auth_level", "2", "-partial_chain", "-no-CApath", "-no-CAstore",
               "-CAfile", str(folder / f"{number}.roots.pem"), "-untrusted", str(chain),
               "-purpose", "sslclient" if role == "client" else "sslserver"]
    if host:
        address = all(letter in "0123456789abcdef:." for letter in host.lower()) and (
            ":" in host or host[-1].isdigit())
        command += ["-verify_ip" if address else "-verify_hostname", host]
    return subprocess.run(command + [str(chain)], capture_output=True).returncode == 0


def difference(folder, line):
    """Returns what is wrong with a row, or None."""
    number, outcome, host, role, stricter, library, what = line.split("\t")
    if library and f"| {library} | {what} |" not in BACKENDS.read_text():
        return f"{number} {what}: the exception of {library} is not in docs/backends.md"
    accepted = accepted_by_openssl(folder, number, host, role)
    if outcome == "OK" and library.startswith("OpenSSL"):
        return f"{number} {what}: no exception is needed" if accepted else None
    if outcome == "OK":
        return None if accepted else f"{number} {what}: accepted, and refused by openssl verify"
    if accepted and not stricter:
        return f"{number} {what}: refused, and accepted by openssl verify"
    if not accepted and stricter:
        return f"{number} {what}: refused by openssl verify, too"
    return None


def check(output):
    folder = output / "table"
    lines = (folder / "rows.txt").read_text().splitlines()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [one for one in pool.map(lambda line: difference(folder, line), lines) if one]
    print("\n".join(found + [f"{len(lines)} rows, {len(found)} differ"]))
    return 1 if found else 0


if len(sys.argv) == 3 and sys.argv[1] == "--check":
    sys.exit(check(pathlib.Path(sys.argv[2])))
if len(sys.argv) != 2:
    sys.exit(__doc__)
make(pathlib.Path(sys.argv[1]))
