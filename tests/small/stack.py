#!/usr/bin/env python3
"""
The deepest stack of the core on a small target, from what the compiler says of every function, and
that none of them calls itself:

    stack.py --compiler arm-none-eabi-gcc --root ROOT --work DIR --limit BYTES
             FILE... -- FLAG...

compiles the FILEs of the core with the FLAGs, follows every call from every public function, and
fails when a chain is deeper than the limit, or comes back to where it was.

What is not of the core counts nothing: the TLS library between a step and the transport, the C
library, the program's callbacks. A call through a pointer is followed by the pointer's name: the
classes of ports are read from the source, the others stand in POINTERS.

A call that is a function's last act is a jump, before which it has taken its frame down: the frame
counts nothing there. Which calls those are is read from the machine code.

A TLS stream over another TLS stream is met once: each further one needs its own part once more.
"""
import argparse
import pathlib
import re
import subprocess
import sys

# The TLS library calls back into the transport.
LIBRARY = ["transport_receive", "transport_send"]
# And in the handshake a backend calls the path validator.
HANDSHAKE = LIBRARY + ["certificate_parse", "chain_verify", "name_format"]

POINTERS = {
    "class.write_both_avail": [],  # of descriptors, which a small target has none of
    "class.acknowledge": [],
    "class.notify": ["sync_member.c:notify"],  # of observers
    "class.detach": ["sync_member.c:detach"],
    "class.withdraw": ["sync_member.c:withdraw"],
    "backend.handshake": HANDSHAKE,
    "backend.read": LIBRARY,
    "backend.write": LIBRARY,
    "backend.shutdown": LIBRARY,
    "backend.pending": [],
    "backend.rest": [],
    "backend.session_new": [],
    "backend.session_free": [],
    "backend.context_new": [],
    "backend.context_free": [],
    "backend.trust_new": [],
    "backend.trust_free": [],
    "backend.capabilities": [],
    "backend.describe": [],
    "backend.speaks_tls13": [],
    "backend.load": [],
    "backend.version": [],
    "backend.error_text": [],
    "request.signature_is_valid": [],  # wolfCrypt's
    "request.key_is_usable": [],
    "parse": ["extensions.c:parse_alternative_names", "extensions.c:parse_issuer_key_id"],  # the deepest
    "face.receive": ["transport_receive"],
    "face.send": ["transport_send"],
    "function": ["context.c:fill_unmade", "available.c:load_once"],  # of os_once
    # the program's own
    "callbacks.*": [],
    "close": [],
    "descriptor": [],
    "installed.*": [],
    "stream.on_error": [],
    "set.callback": [],
    "now": [],
}


# Where a chain is in a stream; beyond, the ports below it are called.
STREAM = ["stream.c", "stream_wait.c", "stream_step.c", "stream_write.c", "stream_bare.c",
          "transport.c", "transport_bare.c"]


class Function:
    """One function of the core: its frame, and whom it calls."""

    def __init__(self, title, size, place):
        self.title = title
        self.size = size
        self.file = pathlib.Path(place.split(":")[0]).name
        self.calls = []
        self.jumps = []  # calls with the own frame gone

    def name(self):
        """file.c:function, without what the compiler appends to a copy."""
        match = re.match(r"(?:.*/)?([^/:]+):([^.]+)", self.title)
        return f"{match[1]}:{match[2]}" if match else self.title.split(".")[0]


def compile_all(options, files, flags):
    """The .ci files of all sources."""
    options.work.mkdir(parents=True, exist_ok=True)
    made = []
    for file in files:
        base = options.work / (file.replace("/", "_")[:-2])
        command = [options.compiler, *flags, "-fcallgraph-info=su", "-I", options.root,
                   "-I", options.root / "api", "-c", options.root / file, "-o", f"{base}.o"]
        subprocess.run([str(part) for part in command], check=True)
        made += [base.with_suffix(".ci")]
    return made


def machine_code(options, made):
    """The calls of every function in machine code that return to it, as (file, caller, callee); a
    callee "" is one behind a pointer. What it reaches otherwise it jumps to."""
    calls = set()
    objdump = re.sub("gcc$", "objdump", options.compiler)
    for path in made:
        command = [objdump, "-dr", "--no-show-raw-insn", path.with_suffix(".o")]
        listing = subprocess.run([str(part) for part in command], check=True, capture_output=True,
                                 text=True).stdout
        caller = ""
        for line in listing.splitlines():
            if symbol := re.match(r"[0-9a-f]+ <([^.>]+)", line):
                caller = symbol[1]
            elif callee := re.search(r"R_ARM_THM_CALL\s+([^.\s]+)", line):
                calls.add((path.stem, caller, callee[1]))
            elif direct := re.search(r"\tbl\t[0-9a-f]+ <([^.>+]+)", line):
                calls.add((path.stem, caller, direct[1]))
            elif re.search(r"\tblx\t", line):
                calls.add((path.stem, caller, ""))
    return calls


def classes(root, files):
    """What stands behind each slot of a class of ports."""
    slots = {}
    for file in files:
        text = (root / file).read_text()
        for body in re.findall(r"struct (?:in|out)put_class \w+ = \{(.*?)\n\};", text, re.S):
            for slot, function in re.findall(r"\.(\w+) = (\w+)", body):
                slots.setdefault(slot, set()).add(f"{pathlib.Path(file).name}:{function}")
    return slots


def pointer_at(place):
    """object.slot, or the name alone, of the pointer that is called at file:line:column."""
    file, line, column = place.rsplit(":", 2)
    lines = pathlib.Path(file).read_text().splitlines()[int(line) - 1:]
    text = " ".join([lines[0][int(column) - 1:]] + lines[1:4])
    call = re.search(r"(\w+)(?:->|\.)(\w+)\s*\(", text)
    plain = re.match(r"(\w+)\(", text)
    if plain and (not call or call.start() > 0 and plain[1] in POINTERS):
        return plain[1]
    return f"{call[1]}.{call[2]}" if call else text.strip()


def behind(pointer, slots):
    """The functions behind a pointer; None when nobody knows."""
    holder, _, slot = pointer.partition(".")
    if holder == "class":
        return slots.get(slot, POINTERS.get(pointer))
    return POINTERS.get(pointer, POINTERS.get(f"{holder}.*"))


def read_graph(made, slots, returning):
    """All functions by title; `returning`: as machine_code says."""
    functions = {}
    edges = []
    for path in made:
        for line in path.read_text().splitlines():
            node = re.match(r'node: \{ title: "([^"]+)" label: "[^\\]*\\n([^\\]*)\\n'
                            r'(\d+) bytes \(([^)]*)\)', line)
            if node:
                if node[4] == "dynamic":
                    sys.exit(f"stack.py: {node[1]} has a frame of no fixed size")
                functions[node[1]] = Function(node[1], int(node[3]), node[2])
            edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)" label: "([^"]*)',
                            line)
            if edge:
                edges += [(path.stem, edge[1], edge[2], edge[3])]
    by_name = {}
    for function in functions.values():
        by_name.setdefault(function.name(), []).append(function)
    unknown = set()
    for stem, source, target, place in edges:
        callee = "" if target == "__indirect_call" else target.split(":")[-1].split(".")[0]
        caller = functions[source].name().split(":")[-1]
        returns = (stem, caller, callee) in returning
        callees = functions[source].calls if returns else functions[source].jumps
        if target != "__indirect_call":
            callees += [functions[target]] if target in functions else []
            continue
        pointer = pointer_at(place)
        names = behind(pointer, slots)
        if names is None:
            unknown.add(f"{pointer} at {place}")
            continue
        for name in names:
            # One that is missing is behind the pointer in another build only.
            callees += by_name.get(name, [])
    if unknown:
        sys.exit("stack.py: POINTERS does not say what stands behind " + "; ".join(sorted(unknown)))
    return functions


def deepest(function, inside_stream, on_chain, known):
    """Bytes and titles of the deepest chain from a function."""
    file = function.file
    if file == "ssl_port.c" and inside_stream:
        return 0, []  # another stream, below this one
    state = (function.title, inside_stream or file in STREAM)
    if state in on_chain:
        chain = [title for title, _ in on_chain[on_chain.index(state):]]
        sys.exit("stack.py: these call each other: " + " > ".join(chain))
    if state not in known:
        best = (0, [])
        for callee in function.calls:
            best = max(best, deepest(callee, state[1], on_chain + [state], known),
                       key=lambda chain: chain[0])
        chain = (function.size + best[0], [function] + best[1])
        for callee in function.jumps:
            chain = max(chain, deepest(callee, state[1], on_chain + [state], known),
                        key=lambda one: one[0])
        known[state] = chain
    return known[state]


def main():
    own, flags = sys.argv[1:], []
    if "--" in own:
        own, flags = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args(own)
    slots = classes(options.root, options.files)
    made = compile_all(options, options.files, flags)
    functions = read_graph(made, slots, machine_code(options, made))

    known = {}
    chains = []
    for function in functions.values():
        if re.fullmatch(r"portls_\w+", function.title):
            chains += [deepest(function, False, [], known)]
    if not chains:
        sys.exit("stack.py: no public function was found")
    chains.sort(key=lambda chain: -chain[0])
    size, chain = chains[0]
    print(f"{len(functions)} functions; the deepest chain of the core takes {size} bytes:")
    for function in chain:
        print(f"  {function.size:5} {function.name()}")
    over = 0
    for size, chain in chains:
        if size > options.limit:
            over += 1
            print(f"{chain[0].title} takes {size} bytes, and has {options.limit}: "
                  + " > ".join(f"{each.name()} {each.size}" for each in chain))
    if over:
        sys.exit(f"stack.py: {over} public functions are deeper than they may be")


main()
