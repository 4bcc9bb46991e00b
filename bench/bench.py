#!/usr/bin/env python3
"""Compares portls with its backends by hand: pair by pair, in the order A B A B, in one run.

Each run of a work is a process pair of build/<preset>/bin/bench-run-<backend>; this program orders
the runs, counts system calls with strace and instructions with valgrind, and prints one table per
backend. README.md beside it explains what the figures mean.
"""

import argparse
import dataclasses
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
import cases  # noqa: E402
import report  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = 65536
SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"


class Failure(Exception):
    """What is told in one line."""


class Program:
    """The program of one backend, and how it is run."""

    def __init__(self, build, backend, pin):
        self.backend = backend
        self.build = build
        self.pin = pin
        self.path = os.path.join(build, "bin", f"bench-run-{backend}")
        if not os.access(self.path, os.X_OK):
            raise Failure(f"{self.path} is not there: cmake --preset bench && cmake --build --preset bench")

    def command(self, case, way, count, roots=None):
        options = list(case.options)
        if way == "floor" and "--gather" in case.portls_options:
            # What block mode strives for: the same bytes in large writes.
            size = options.index("--size") + 1
            count = max(1, count * int(options[size]) // BLOCK)
            options[size] = str(BLOCK)
        command = [self.path, "--work", case.work, "--way", way, "--count", str(count), *options]
        if way == "portls":
            command += case.portls_options
        if roots:
            command += ["--roots", roots]
        if self.pin:
            command.append("--pin")
        return command

    def run(self, command, before=()):
        done = subprocess.run([*before, *command], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"failed: {' '.join([*before, *command])}")
        return json.loads(done.stdout.strip().splitlines()[-1])


def roots_file(program):
    """The system's roots and the test root in one file: what each side of a pair is given."""
    if not os.path.exists(SYSTEM_ROOTS):
        raise Failure(f"{SYSTEM_ROOTS} is not there (Debian: apt-get install ca-certificates)")
    path = os.path.join(program.build, "bench-system-roots.pem")
    with open(path, "w", encoding="ascii") as whole:
        for part in (SYSTEM_ROOTS, os.path.join(program.build, "certs", "root.pem")):
            with open(part, encoding="ascii") as file:
                whole.write(file.read())
    return path


def check_terms(runs):
    """Both sides of a comparison have to speak the same."""
    terms = {(run["protocol"], run["cipher"]) for run in runs}
    if len(terms) != 1:
        raise Failure(f"portls and the library by hand do not speak the same: {sorted(terms)}")
    return " ".join(terms.pop())


def spread(values):
    """Median, quartiles and extremes."""
    values = sorted(values)
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {
        "median": statistics.median(values),
        "low": quartiles[0],
        "high": quartiles[2],
        "min": values[0],
        "max": values[-1],
    }


def cpu(run):
    return run["client"]["cpu"] + run["server"]["cpu"]


def units(case, run):
    """What a run is divided by, and what the quotient is called: MB, or round trips and the like."""
    if case.work in ("bulk", "duplex"):
        return run["size"] * run["count"] / 1048576 * (2 if case.work == "duplex" else 1), "ms/MB", 1e3
    return run["count"], "us", 1e6


def measure_pairs(program, case, pairs, value):
    """A B A B, with the floor after each pair."""
    ways = ["portls", "hand"] + (["floor"] if case.floor else [])
    roots = roots_file(program) if case.system_roots else None
    runs = {way: [] for way in ways}
    count = case.count_of(program.backend)
    for _ in range(pairs):
        for way in ways:
            runs[way].append(program.run(program.command(case, way, count, roots)))
    terms = check_terms(runs["portls"] + runs["hand"])
    values = {way: [value(run) for run in runs[way]] for way in ways}
    return runs, values, terms


def wall(run):
    return run["client"]["wall"]


def measure_cpu(program, case, arguments):
    value = wall if case.figure == "wall" else cpu
    runs, values, terms = measure_pairs(program, case, arguments.pairs, value)
    amount, unit, factor = units(case, runs["hand"][0])
    row = {"unit": unit, "terms": terms, "pairs": arguments.pairs}
    for way, list_of in values.items():
        row[way] = spread([each / amount * factor for each in list_of])
        row[way]["wall"] = statistics.median(run["client"]["wall"] for run in runs[way]) / amount * factor
        row[way]["switches"] = statistics.median(
            run["client"]["switches"] + run["server"]["switches"] for run in runs[way]
        ) / amount
    row["ratio"] = spread([a / b for a, b in zip(values["portls"], values["hand"])])
    row["wall_ratio"] = spread(
        [a["client"]["wall"] / b["client"]["wall"] for a, b in zip(runs["portls"], runs["hand"])]
    )
    if case.floor:
        row["floor_ratio"] = spread([f / b for f, b in zip(values["floor"], values["hand"])])
    row["runs"] = runs
    return row


def fitting(case):
    """The case with as many connections as the limit of descriptors allows each process."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = int(case.options[1])
    possible = wanted if limit == resource.RLIM_INFINITY else min(wanted, limit - 100)
    return dataclasses.replace(case, options=(case.options[0], str(possible), *case.options[2:]))


def measure_memory(program, case, arguments):
    case = fitting(case)
    runs, values, terms = measure_pairs(
        program, case, arguments.memory_pairs, lambda run: run["server"][case.figure]
    )
    row = {"unit": "KB", "terms": terms, "pairs": arguments.memory_pairs}
    row["connections"] = runs["hand"][0]["connections"]
    for way, list_of in values.items():
        row[way] = spread([each / 1024 for each in list_of])
        row[way]["descriptors"] = runs[way][0]["server"]["descriptors"]
    row["ratio"] = spread([a / b for a, b in zip(values["portls"], values["hand"])])
    row["runs"] = runs
    return row


# ---- threads ----


def measure_threads(program, case, arguments):
    """portls with two accepting threads and with one, in turn; the ratio of their speeds."""
    count = case.count_of(program.backend)
    runs = {1: [], 2: []}
    for _ in range(arguments.pairs):
        for threads, list_of in runs.items():
            command = program.command(case, "portls", count) + ["--threads", str(threads)]
            list_of.append(program.run([part for part in command if part != "--pin"]))
    row = {"unit": "us", "terms": check_terms(runs[1] + runs[2]), "pairs": arguments.pairs}
    row["portls"] = spread([wall(run) / count * 1e6 for run in runs[2]])
    row["hand"] = spread([wall(run) / count * 1e6 for run in runs[1]])
    row["ratio"] = spread([wall(one) / wall(two) for one, two in zip(runs[1], runs[2])])
    return row


# ---- system calls ----

SEND = {"write", "writev", "send", "sendto", "sendmsg"}
RECEIVE = {"read", "readv", "recv", "recvfrom", "recvmsg"}
LINE = re.compile(r"^\d+ +(\w+)\((\d+<[^>]*>)?")
MARK = re.compile(r'"bench (begin|end) (client|server)"')


def trace(program, case, way, count):
    """Runs once under strace; per process a count of system calls between the marks."""
    with tempfile.TemporaryDirectory() as scratch:
        log = os.path.join(scratch, "trace")
        command = program.command(case, way, count) + ["--marks"]
        program.run(command, ("strace", "-f", "-qq", "-y", "-s", "32", "-e", "signal=none", "-o", log))
        with open(log, encoding="utf-8", errors="replace") as file:
            return count_calls(file)


def count_calls(lines):
    """Of each side: all, those on sockets that send or receive, and each by its name."""
    counts, sides = {}, {}
    for line in lines:
        process = line.split(maxsplit=1)[0]
        mark = MARK.search(line)
        if mark and mark.group(1) == "begin":
            sides[process] = mark.group(2)
            counts[mark.group(2)] = {"all": 0, "sends": 0, "receives": 0, "names": {}}
        elif mark:
            del sides[process]
        elif process in sides and (match := LINE.match(line)):
            name, descriptor = match.groups(default="")
            count = counts[sides[process]]
            count["all"] += 1
            count["names"][name] = count["names"].get(name, 0) + 1
            if "socket:" in descriptor or "TCP:" in descriptor:
                count["sends"] += name in SEND
                count["receives"] += name in RECEIVE
    return counts


def print_calls(program, case):
    """Which system calls each way makes, per repetition, for who looks for one too many."""
    count = case.count_of(program.backend)
    for way in ("portls", "hand", "floor"):
        for side, calls in sorted(trace(program, case, way, count).items()):
            names = sorted(calls["names"].items(), key=lambda pair: -pair[1])
            listed = ", ".join(f"{name} {number / count:g}" for name, number in names)
            print(f"{program.backend} {case.name} {way} {side}: {calls['all'] / count:g} = {listed}")


def measure_calls(program, case, _arguments):
    count = case.count_of(program.backend)
    row = {"unit": "calls/MB", "terms": "", "pairs": 1}
    megabytes = int(case.options[case.options.index("--size") + 1]) * count / 1048576
    for way in ("portls", "hand", "floor"):
        calls = trace(program, case, way, count)
        row[way] = spread([(calls["client"]["all"] + calls["server"]["all"]) / megabytes])
        row[way]["calls"] = calls
    row["ratio"] = spread([row["portls"]["median"] / row["hand"]["median"]])
    row["floor_ratio"] = spread([row["floor"]["median"] / row["hand"]["median"]])
    return row


def measure_socket_calls(program, case, _arguments):
    count = case.count_of(program.backend)
    row = {"unit": "client sends+receives, server sends+receives", "terms": "", "pairs": 1}
    for way in ("portls", "hand"):
        calls = trace(program, case, way, count)
        row[way] = {
            "calls": calls,
            "numbers": [
                calls[side][kind] / count for side in ("client", "server") for kind in ("sends", "receives")
            ],
        }
    return row


# ---- instructions ----


def instructions(program, case, way, count):
    """All instructions of a run of the work, as callgrind counts them."""
    command = program.command(case, way, count)
    command = [part for part in command if part != "--pin"]
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise Failure(f"valgrind failed: {' '.join(command)}\n{done.stderr}")
    return int(found.group(1))


def measure_instructions(program, case, _arguments):
    """The difference of two lengths: what a run does once falls out."""
    count = case.count_of(program.backend)
    row = {"unit": "instructions", "terms": "", "pairs": 1}
    for way in ("portls", "hand"):
        few, more = (instructions(program, case, way, number) for number in (count, 2 * count))
        row[way] = spread([(more - few) / count])
    row["added"] = row["portls"]["median"] - row["hand"]["median"]
    return row


MEASURE = {
    "cpu": measure_cpu,
    "wall": measure_cpu,
    "threads": measure_threads,
    "heap": measure_memory,
    "resident": measure_memory,
    "calls": measure_calls,
    "socket-calls": measure_socket_calls,
    "instructions": measure_instructions,
}


# ---- the program ----


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench"), help="the build tree")
    parser.add_argument("--backends", default=",".join(cases.BACKENDS), help="a list with commas")
    parser.add_argument("--cases", default="", help="a regular expression of names; all without it")
    parser.add_argument("--list", action="store_true", help="list the cases and stop")
    parser.add_argument("--pairs", type=int, default=7, help="of a timed case (7)")
    parser.add_argument("--memory-pairs", type=int, default=1, help="of a memory case (1)")
    parser.add_argument("--scale", type=float, default=1.0, help="do so much of the usual work (1)")
    parser.add_argument("--no-pin", action="store_true", help="leave the processes on any processor")
    parser.add_argument("--calls", action="store_true", help="instead: which system calls, by name")
    parser.add_argument("--json", help="write what was measured here")
    parser.add_argument("--table", help="write the tables, in Markdown, here")
    parser.add_argument("--plot", help="have gnuplot draw the ratios here (SVG)")
    own = parser.add_argument_group("a case of your own instead")
    own.add_argument("--work", help="bulk, duplex, pingpong, handshake, connection, many")
    own.add_argument("--size", type=int)
    own.add_argument("--count", type=int)
    own.add_argument("--connections", type=int)
    own.add_argument("--certificate")
    own.add_argument("--gather", action="store_true", help="portls in block mode")
    own.add_argument("--busy-poll", type=int, help="microseconds for which portls polls before it sleeps")
    return parser.parse_args(argv)


def chosen(arguments):
    if not arguments.work:
        return [case for case in cases.CASES if re.search(arguments.cases, case.name)]
    options = []
    for name in ("size", "connections", "certificate"):
        if getattr(arguments, name):
            options += [f"--{name}", str(getattr(arguments, name))]
    like = [case for case in cases.CASES if case.work == arguments.work and case.figure == "cpu"]
    if not like:
        raise Failure(f"there is no timed work '{arguments.work}'")
    count = (arguments.count,) * 2 if arguments.count else like[0].count
    told = ("--gather",) if arguments.gather else ()
    if arguments.busy_poll:
        told += ("--busy-poll", str(arguments.busy_poll))
    text = " ".join([arguments.work, *options, *told])
    return [cases.Case("own", arguments.work, text, tuple(options), count=count, portls_options=told)]


def scaled(case, scale):
    if scale == 1.0:
        return case
    count = tuple(max(1, round(number * scale)) for number in case.count)
    options = case.options
    if case.work == "idle":
        options = (options[0], str(max(80, round(int(options[1]) * scale))), *options[2:])
    return dataclasses.replace(case, count=count, options=options)


def save(result, path):
    """After each case, so that nothing is lost with a later one."""
    if path:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
        os.replace(path + ".new", path)


def measure(arguments, wanted):
    begun = time.strftime("%Y-%m-%d %H:%M %Z")
    result = {"begun": begun, "pairs": arguments.pairs, "machine": report.machine(), "backends": {}}
    for backend in arguments.backends.split(","):
        program = Program(arguments.build, backend, not arguments.no_pin)
        rows = result["backends"][backend] = {}
        for case in wanted:
            if arguments.calls:
                print_calls(program, scaled(case, arguments.scale))
                continue
            row = MEASURE[case.figure](program, scaled(case, arguments.scale), arguments)
            row["text"], row["figure"], row["target"] = case.text, case.figure, case.target_of(backend)
            row["reached"] = report.reached(row)
            rows[case.name] = row
            result["load_after"] = os.getloadavg()
            save(result, arguments.json)
            print(report.line(backend, case.name, row), file=sys.stderr, flush=True)
    return result


def main(argv):
    arguments = parse(argv)
    wanted = chosen(arguments)
    if arguments.list:
        for case in wanted:
            print(f"{case.name:16} {case.text}")
        return
    result = measure(arguments, wanted)
    if arguments.calls:
        return
    text = report.tables(result)
    print(text)
    if arguments.table:
        with open(arguments.table, "w", encoding="utf-8") as file:
            file.write(text)
    if arguments.plot:
        report.plot(result, arguments.plot, os.path.join(ROOT, "bench", "plot.gp"))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failure, FileNotFoundError) as failure:
        sys.exit(f"bench: {failure}")
