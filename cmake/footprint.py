#!/usr/bin/env python3
r"""What a linked program takes, part by part, from the linker's map (GNU ld, -Map):

    footprint.py [--functions PART] [--text-limit N] [--ram-limit N --sizes OBJECT --firmware COMMAND…] \\
        [--] BUILD PROGRAM.map

BUILD is the build tree, whose object files tell the core's members of the archive from the
backend's. Parts: core, glue (the backend), tls (the TLS library), libc, program (all else). `text` is
code and constants, which lie in flash; `data` lies in flash and in RAM; `bss` in RAM only. Strings
that the linker has merged are counted at each of their users, so the sums are no less than the truth.

With limits it fails when core and glue together take more text, or an open connection more RAM beside
the TLS library's own: what COMMAND, the firmware, says that portls holds, and what the backend does.
"""
import argparse
import collections
import glob
import os
import re
import subprocess
import sys

KINDS = (".text", ".ARM.ex", ".rodata", ".init_array"), (".data",), (".bss",)
NAMES = "text", "data", "bss"
PARTS = "core", "glue", "tls", "libc", "program"
OWN = "core", "glue"
LIBC = re.compile(r"/lib(c|c_nano|g|g_nano|gcc|m|nosys|rdimon|rdimon_nano|pthread)\.a|/crt[^/]*\.o")
TLS = re.compile(r"/lib(wolfssl|tls|ssl|crypto)\.a\(")


def sections_of(build, objdump):
    """(member, section, size) of every object file of the library, and its part."""
    parts = {}
    folders = ("core", "core/CMakeFiles/portls-core.dir/**"), ("glue", "backends/*/CMakeFiles/*.dir/**")
    for part, folder in folders:
        for path in glob.glob(os.path.join(build, folder, "*.o*"), recursive=True):
            text = subprocess.run([objdump, "-h", path], check=True, capture_output=True, text=True).stdout
            for name, size in re.findall(r"^ +\d+ (\S+) +([0-9a-f]+) ", text, re.M):
                parts.setdefault((os.path.basename(path), name, int(size, 16)), set()).add(part)
    if not any("core" in part for part in parts.values()):
        sys.exit(f"footprint: no object files of the core beneath {build}")
    return parts


def inputs(path):
    """Every piece that was linked: output section, input section, size before merging, file."""
    text = open(path, encoding="utf-8").read()
    if "Linker script and memory map" not in text:
        sys.exit(f"footprint: {path} is no map of GNU ld")
    text = text.split("Linker script and memory map", 1)[1]
    text = re.sub(r"^( [.C]\S*)\n +0x", r"\1 0x", text, flags=re.M)
    output, piece = "", None
    for line in text.splitlines():
        if match := re.match(r"(\.\S+)", line):
            output = match[1]
        elif match := re.match(r" ([.C]\S*) +0x[0-9a-f]+ +0x([0-9a-f]+) (\S.*)", line):
            if piece:
                yield piece
            piece = [output, match[1], int(match[2], 16), match[3]]
        elif piece and (match := re.match(r" +0x([0-9a-f]+) \(size before relaxing\)", line)):
            piece[2] = int(match[1], 16)
    if piece:
        yield piece


def part_of(file, section, size, known):
    member = re.search(r"libportls-\w+\.a\((.*)\)$", file)
    if member:
        parts = known.get((member[1], section, size))
        if parts is None:
            return "core" if member[1].startswith("available.") else None
        return "core" if "core" in parts else "glue"
    if LIBC.search(file):
        return "libc"
    return "tls" if TLS.search(file) else "program"


def measure(build, path, objdump):
    known = sections_of(build, objdump)
    sums = {part: dict.fromkeys(NAMES, 0) for part in PARTS}
    pieces = collections.defaultdict(list)
    for output, section, size, file in inputs(path):
        kind = next((name for name, starts in zip(NAMES, KINDS) if output.startswith(starts)), None)
        if kind is None or size == 0:
            continue
        part = part_of(file, section, size, known)
        if part is None:
            sys.exit(f"footprint: nobody knows {file} {section} ({size} bytes): was it built anew?")
        sums[part][kind] += size
        pieces[part].append((size, kind, section, file.rsplit("/", 1)[-1]))
    return sums, pieces


def ram_of_connection(command, sizes, nm):
    """Of an open connection: bytes and pieces of the core, as the firmware counts them, the buffers among
    them, and the bytes of the backend."""
    says = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counted = re.search(r"^portls holds (\d+) bytes in (\d+) pieces for an open connection$", says, re.M)
    symbols = subprocess.run([nm, "-S", sizes], check=True, capture_output=True, text=True).stdout
    found = {name: int(size, 16) for size, name in
             re.findall(r"^[0-9a-f]+ ([0-9a-f]+) \w size_of_(\w+)$", symbols, re.M)}
    if not counted or found.keys() != {"session", "buffers"}:
        sys.exit("footprint: the firmware or the object of sizes does not say what it holds")
    return int(counted[1]), int(counted[2]), found["buffers"], found["session"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("map")
    parser.add_argument("--functions", metavar="PART", choices=PARTS)
    parser.add_argument("--text-limit", type=int)
    parser.add_argument("--ram-limit", type=int)
    parser.add_argument("--sizes")
    parser.add_argument("--firmware", nargs="+")
    parser.add_argument("--tools", default="arm-none-eabi-", help="what objdump and nm are called with")
    arguments = parser.parse_args()
    sums, pieces = measure(arguments.build, arguments.map, arguments.tools + "objdump")
    if arguments.functions:
        for size, kind, section, file in sorted(pieces[arguments.functions], reverse=True):
            print(f"{size:6} {kind} {section} {file}")
    for part in PARTS:
        print(part, *(f"{kind} {sums[part][kind]}" for kind in NAMES))
    text = sum(sums[part]["text"] for part in OWN)
    print(f"core and glue: {text} bytes of text, limit {arguments.text_limit}")
    too_much = arguments.text_limit is not None and text > arguments.text_limit
    if arguments.firmware:
        core, pieces, buffers, session = ram_of_connection(arguments.firmware, arguments.sizes, arguments.tools + "nm")
        own = core - buffers + session
        print(f"an open connection: {core} bytes of the core in {pieces} pieces, of which the record "
              f"buffers are {buffers}, and {session} of the glue; beside the buffers {own}, limit "
              f"{arguments.ram_limit}")
        too_much = too_much or own > arguments.ram_limit
    if too_much:
        sys.exit("footprint: that is more than the limit")


if __name__ == "__main__":
    main()
