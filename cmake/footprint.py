#!/usr/bin/env python3
"""What a linked program takes, part by part, from the linker's map (GNU ld, -Map):

    footprint.py [--functions PART] BUILD PROGRAM.map

BUILD is the build tree, whose object files tell the core's members of the archive from the
backend's. Parts: core, glue (the backend), tls (the TLS library), libc, program (all else). `text` is
code and constants, which lie in flash; `data` lies in flash and in RAM; `bss` in RAM only. Strings
that the linker has merged are counted at each of their users, so the sums are no less than the truth.
"""
import argparse
import collections
import glob
import os
import re
import subprocess
import sys

KINDS = (".text", ".ARM.", ".rodata", ".init_array"), (".data",), (".bss",)
NAMES = "text", "data", "bss"
PARTS = "core", "glue", "tls", "libc", "program"
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("map")
    parser.add_argument("--functions", metavar="PART", choices=PARTS)
    parser.add_argument("--objdump", default="arm-none-eabi-objdump")
    arguments = parser.parse_args()
    sums, pieces = measure(arguments.build, arguments.map, arguments.objdump)
    if arguments.functions:
        for size, kind, section, file in sorted(pieces[arguments.functions], reverse=True):
            print(f"{size:6} {kind} {section} {file}")
    for part in PARTS:
        print(part, *(f"{kind} {sums[part][kind]}" for kind in NAMES))


if __name__ == "__main__":
    main()
