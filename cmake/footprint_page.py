#!/usr/bin/env python3
"""Measures and writes docs/footprint.md:

    python3 cmake/footprint_page.py

builds the firmware of preset cortex-m3 in variants beneath build/footprint/ and runs them under QEMU, and
takes the sizes of the libraries of the presets armhf, arm64 and s390x, which have to be built already
(cmake/check-targets.cmake does that and installs what is needed).
"""
import glob
import os
import re
import subprocess
import sys

import footprint

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = "arm-none-eabi-"
LEAVE_OUT = "MESSAGES", "PEM", "WOLFSSL_OWN_VERIFIER"
LIBRARIES = {"openssl": ("libssl.so.3", "libcrypto.so.3"), "wolfssl": ("libwolfssl.so.35",)}
LINUX = (("armhf", "arm-linux-gnueabihf-", "openssl wolfssl"), ("arm64", "aarch64-linux-gnu-", "openssl wolfssl"),
         ("s390x", "s390x-linux-gnu-", "wolfssl"))


def say(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, **options).stdout


def variant(name, off):
    """Builds the firmware with some of LEAVE_OUT off and returns a row of numbers."""
    build = os.path.join(ROOT, "build/footprint", name)
    options = [f"-DPORTLS_{'' if 'OWN' in one else 'WITH_'}{one}={'OFF' if one in off else 'ON'}" for one in LEAVE_OUT]
    say("cmake", "--preset", "cortex-m3", "-B", build, *options)
    say("cmake", "--build", build)
    program = os.path.join(build, "bin/portls-firmware.elf")
    sums, _ = footprint.measure(build, program + ".map", TOOLS + "objdump")
    run = [os.path.join(ROOT, "examples/bare-metal/run.sh"), program]
    says = say(*run)
    sizes = glob.glob(os.path.join(build, "tests/footprint/**/sizes.c.obj"), recursive=True)[0]
    core, pieces, buffers, session = footprint.ram_of_connection(run, sizes, TOOLS + "nm")
    heaps = [int(number) for number in re.findall(r"^heap: (\d+) bytes", says, re.M)]
    idle = [int(number) for number in re.findall(r"^heap: .* (\d+) with both", says, re.M)]
    stack = int(re.search(r"^stack: (\d+)", says, re.M)[1])
    ram = {part: sums[part]["data"] + sums[part]["bss"] for part in footprint.PARTS}
    return {"sums": sums, "ram": ram, "own": core - buffers + session, "buffers": buffers, "pieces": pieces,
            "peak": max(heaps), "idle": max(idle), "stack": stack}


def text_of(tool, paths):
    lines = say(tool, *paths).splitlines()[1:]
    return [sum(int(line.split()[column]) for line in lines) for column in range(3)]


def linux_rows():
    for preset, tools, backends in LINUX:
        build = os.path.join(ROOT, "build", preset)
        core = glob.glob(os.path.join(build, "core/CMakeFiles/portls-core.dir/**/*.o"), recursive=True)
        if not core:
            sys.exit(f"footprint_page: preset {preset} is not built (cmake -P cmake/check-targets.cmake)")
        text, data, bss = text_of(tools + "size", core)
        yield f"| `{preset}` | core | {text} | {data + bss} |"
        for backend in backends.split():
            glue = glob.glob(os.path.join(build, f"backends/{backend}/CMakeFiles/*.dir/*.o"))
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
    least, most = rows[-1][1], rows[0][1]
    yield """# Footprint

What portls takes of flash and RAM. `python3 cmake/footprint_page.py` measures it and writes this page; the test
`footprint.limits` of the preset `cortex-m3` keeps it from growing.

## Cortex-M3, without an operating system

The firmware of `examples/bare-metal/`, Thumb-2, GCC 12, `-Os`, unused sections dropped; wolfSSL 5.5.4 with TLS 1.2 and 1.3, P-256
and AES-128-GCM (`cmake/wolfssl/cortex-m3/user_settings.h`). Bytes as they are in the linked image. Text is code and constants,
static RAM is initialised and zeroed data. Client and server are both in it.

| left out | core, text | glue, text | both | wolfSSL, text | static RAM of core and glue |
| --- | --- | --- | --- | --- | --- |"""
    for name, row in rows:
        sums, ram = row["sums"], row["ram"]
        core, glue = sums["core"]["text"], sums["glue"]["text"]
        yield f"| {name} | {core} | {glue} | {core + glue} | {sums['tls']['text']} | {ram['core'] + ram['glue']} |"
    yield f"""
The C library (newlib-nano, with `printf` for the example's own output) takes {least['sums']['libc']['text']} bytes, the example
{least['sums']['program']['text']}.

| left out | an open connection, beside wolfSSL's own and the record buffers | record buffers | heap, most in a handshake | heap, both ends idle | stack |
| --- | --- | --- | --- | --- | --- |"""
    for name, row in rows:
        yield (f"| {name} | {row['own']} | {row['buffers']} | {row['peak']} | {row['idle']} | {row['stack']} |")
    yield f"""
Heap is of client and server together, contexts included; a connection is {least['pieces']} allocation of the core. Pipes and
echo buffers are the example's own.

What the {least['sums']['core']['text'] + least['sums']['glue']['text']} bytes of the smallest one are:
`python3 cmake/footprint.py --functions core build/footprint/all build/footprint/all/bin/portls-firmware.elf.map`, and the same
with `glue`.

## Linux

All of the core and of each backend, as compiled by the presets (`-O2`), not what a program uses of it; beside them the TLS
libraries, whole too.

| preset | part | text | static RAM |
| --- | --- | --- | --- |"""
    yield from linux_rows()


def main():
    rows = [("nothing", variant("none", ()))]
    for one, name in zip(LEAVE_OUT, ("messages", "PEM", "the own verifier")):
        rows.append((name, variant(one.lower(), (one,))))
    rows.append(("all three", variant("all", LEAVE_OUT)))
    text = "\n".join(page(rows)) + "\n"
    with open(os.path.join(ROOT, "docs/footprint.md"), "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
