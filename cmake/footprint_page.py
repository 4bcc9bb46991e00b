#!/usr/bin/env python3
"""Measures and writes docs/footprint.md:

    python3 cmake/footprint_page.py

builds the firmwares of preset cortex-m3 in variants beneath build/footprint/ and runs one of them under
QEMU, and takes the sizes of the libraries of the presets for other systems as they are built
(cmake/check-targets.cmake does that and installs what is needed); a preset that is not built keeps the
rows that it has.
"""
import collections
import glob
import os
import re
import subprocess
import sys

import footprint

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = "arm-none-eabi-"
LIBRARIES = {"openssl": ("libssl.so.3", "libcrypto.so.3"), "wolfssl": ("libwolfssl.so.35",)}
# The presets whose libraries are measured whole, their tools, and what they are built over.
WHOLE = (("armhf", "arm-linux-gnueabihf-", "openssl wolfssl"), ("arm64", "aarch64-linux-gnu-", "openssl wolfssl"),
         ("s390x", "s390x-linux-gnu-", "wolfssl"), ("musl", "", "wolfssl"),
         ("windows", "x86_64-w64-mingw32-", "wolfssl"))
PAGE = os.path.join(ROOT, "docs/footprint.md")
# The files of core/x509 with the rules that go beyond reading a well-formed certificate.
STRICT = ("extensions.c", "name_constraints.c", "distinguished_name.c", "strength.c", "pss.c", "directory_string.c",
          "dns_name.c")


def say(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, **options).stdout


def variant(messages):
    """Builds the firmware with PORTLS_WITH_MESSAGES `messages`, and returns a row of numbers."""
    build = os.path.join(ROOT, "build/footprint", f"messages-{messages.lower()}")
    say("cmake", "--preset", "cortex-m3", "-B", build, f"-DPORTLS_WITH_MESSAGES={messages}")
    say("cmake", "--build", build)
    client, pieces_of_client = footprint.measure(build, os.path.join(build, "bin/portls-client.elf.map"),
                                                 TOOLS + "objdump")
    program = os.path.join(build, "bin/portls-firmware.elf")
    sums, _ = footprint.measure(build, program + ".map", TOOLS + "objdump")
    run = [os.path.join(ROOT, "examples/bare-metal/cortex-m3/run.sh"), program]
    says = say(*run)
    sizes = glob.glob(os.path.join(build, "tests/footprint/**/sizes.c.obj"), recursive=True)[0]
    core, pieces, buffers, session = footprint.ram_of_connection(run, sizes, TOOLS + "nm")
    heaps = [int(number) for number in re.findall(r"^heap: (\d+) bytes", says, re.M)]
    idle = [int(number) for number in re.findall(r"^heap: .* (\d+) with both", says, re.M)]
    stack = int(re.search(r"^stack: (\d+)", says, re.M)[1])
    ram = {part: sums[part]["data"] + sums[part]["bss"] for part in footprint.PARTS}
    return {"sums": sums, "client": client, "verifier": verifier(pieces_of_client["core"]), "ram": ram, "own": core - buffers + session, "buffers": buffers, "pieces": pieces,
            "peak": max(heaps), "idle": max(idle), "stack": stack}


def verifier(pieces):
    """The text of each file of core/x509 that a client links, the largest first."""
    files = {os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "core/x509/*.c"))}
    text = collections.Counter()
    for size, kind, _, member in pieces:
        name = re.search(r"\((.*)\.o(bj)?\)", member)[1]
        if kind == "text" and name in files:
            text[name] += size
    return text.most_common()


def own_text(sums):
    return sum(sums[part]["text"] for part in footprint.OWN)


def text_of(tool, paths):
    lines = say(tool, *paths).splitlines()[1:]
    return [sum(int(line.split()[column]) for line in lines) for column in range(3)]


def old_rows():
    """The rows of each preset in the table of the page that is there."""
    rows = collections.defaultdict(list)
    preset = None
    for line in open(PAGE, encoding="utf-8").read().partition("| preset | part |")[2].splitlines():
        found = re.match(r"\| `(\w+)` \|", line)
        preset = found[1] if found else preset
        if preset and line.startswith("|"):
            rows[preset].append(line)
    return rows


def whole_rows():
    for preset, tools, backends in WHOLE:
        build = os.path.join(ROOT, "build", preset)
        core = glob.glob(os.path.join(build, "core/CMakeFiles/portls-core.dir/**/*.o*"), recursive=True)
        if not core:
            print(f"footprint_page: preset {preset} is not built, its rows stay as they are")
            yield from old_rows()[preset]
            continue
        text, data, bss = text_of(tools + "size", core)
        yield f"| `{preset}` | core | {text} | {data + bss} |"
        for backend in backends.split():
            glue = glob.glob(os.path.join(build, f"backends/{backend}/CMakeFiles/*.dir/*.o*"))
            text, data, bss = text_of(tools + "size", glue)
            yield f"| | glue to {backend} | {text} | {data + bss} |"
            folder = os.path.join(ROOT, f"build/sysroot-{preset}/usr/lib", tools.rstrip("-"))
            names = LIBRARIES[backend]
            paths = [os.path.join(folder, name) for name in names]
            if not os.path.exists(paths[0]):
                names = "libwolfssl.a", "of Debian's source, without its OpenSSL layer"
                paths = [os.path.join(ROOT, f"build/wolfssl-{preset}/lib/libwolfssl.a")]
            text, data, bss = text_of(tools + "size", paths)
            yield f"| | {', '.join(names)} | {text} | {data + bss} |"


def page(rows):
    least = rows[-1][1]
    strict = sum(size for name, size in least["verifier"] if name in STRICT)
    yield """# Footprint

What portls takes of flash and RAM. `python3 cmake/footprint_page.py` measures it and writes this page. The tests `footprint.limits`
and `footprint.stack` of the preset `cortex-m3` hold a client without messages to 33792 bytes of text in core and glue, 1024 bytes of
RAM per connection beside the buffers, and 1024 bytes of stack in the core.

## Cortex-M3, without an operating system

The firmwares of `examples/bare-metal/`, Thumb-2, GCC 12, `-Os`, unused sections dropped; wolfSSL 5.5.4 with TLS 1.2 and 1.3, P-256
and AES-128-GCM (`cmake/wolfssl/bare/user_settings.h`). Bytes as they are in the linked image. Text is code and constants,
static RAM is initialised and zeroed data. `main.c` is client and server in one image, joined by pipes; `client.c` a client
that verifies its server over a UART, and nothing else: what a device needs at the least.

| messages | client: core, text | glue, text | both | client and server: core, text | glue, text | both | wolfSSL, text | static RAM of core and glue |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""
    for name, row in rows:
        sums, ram = row["sums"], row["ram"]
        numbers = []
        for text in (row["client"], sums):
            parts = [text[part]["text"] for part in ("core", "glue")]
            numbers += [*(size or "" for size in parts), own_text(text)]
        numbers += [sums["tls"]["text"], sum(ram[part] for part in footprint.OWN)]
        yield f"| {name} | " + " | ".join(str(number) for number in numbers) + " |"
    yield f"""
The C library (newlib-nano, with `printf` for the larger example's own output) takes there {least['sums']['libc']['text']} bytes, the example
{least['sums']['program']['text']}.

| messages | an open connection, beside wolfSSL's own and the record buffers | record buffers | heap, most in a handshake | heap, both ends idle | stack |
| --- | --- | --- | --- | --- | --- |"""
    for name, row in rows:
        yield (f"| {name} | {row['own']} | {row['buffers']} | {row['peak']} | {row['idle']} | {row['stack']} |")
    yield f"""
Heap is of client and server together, contexts included; a connection is {least['pieces']} allocation of the core. Pipes and
echo buffers are the example's own.

The limit of text is what a strict verifier needs: that a certificate is refused whose names, extensions or encoding are malformed,
that names are compared as the standards say, and that name constraints and weak keys count, takes {strict} bytes of it
({", ".join(f"`{name}`" for name in STRICT)}).
Of `core/x509` that client has without messages:

| file | text |
| --- | --- |"""
    for name, size in least["verifier"]:
        yield f"| `{name}` | {size} |"
    yield """
Function by function: `python3 cmake/footprint.py --functions core build/footprint/messages-off build/footprint/messages-off/bin/portls-client.elf.map`,
and the same with `glue`.

## Linux and Windows

All of the core and of each backend, as compiled by the presets (`-O2`), not what a program uses of it; beside them the TLS
libraries, whole too. `musl` and `windows` are for the processor amd64.

| preset | part | text | static RAM |
| --- | --- | --- | --- |"""
    yield from whole_rows()


def main():
    rows = [("on", variant("ON")), ("off", variant("OFF"))]
    text = "\n".join(page(rows)) + "\n"
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
