"""How figures are shown: a line while it runs, tables in Markdown, and the data of the plot.

    report.py MEASURED.json DOCUMENT.md PLOT.svg

puts what bench.py has written into a document, between its two marks, and has the plot drawn.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
import cases  # noqa: E402


def machine():
    """What the figures were measured on."""
    facts = {}
    listed = subprocess.run(["lscpu"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in listed.splitlines():
        name, _, value = line.partition(":")
        if name in ("Model name", "CPU(s)", "Hypervisor vendor", "L3 cache"):
            facts[name] = value.strip()
    facts["System"] = " ".join(os.uname()[i] for i in (0, 2, 4))
    facts["Load before"] = " ".join(f"{number:.2f}" for number in os.getloadavg())
    return facts


def reached(row):
    """Whether the target is reached; None without one."""
    target = row["target"]
    if target is None:
        return None
    if row["figure"] == "socket-calls":
        return all(is_ <= wanted for is_, wanted in zip(row["portls"]["numbers"], target))
    if row["figure"] == "instructions":
        return row["added"] <= target
    ratio = round(row["ratio"]["median"], 2)
    return ratio >= target if row["figure"] == "threads" else ratio <= target


def number(value):
    """Three figures that count."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def calls(numbers):
    return ", ".join(f"{sends:g}+{receives:g}" for sends, receives in (numbers[:2], numbers[2:]))


def cells(row):
    """portls, by hand, floor, ratio, its spread, floor's ratio, target: as texts."""
    target = row["target"]
    if row["figure"] == "socket-calls":
        shown = calls(row["portls"]["numbers"]), calls(row["hand"]["numbers"])
        return [*shown, "", "", "", "", calls(target)]
    shown = [f"{number(row[way]['median'])}" for way in ("portls", "hand")]
    shown[0] += f" {row['unit']}"
    if row["figure"] == "instructions":
        return [*shown, "", f"{row['added']:+,.0f}", "", "", f"≤ +{target}"]
    ratio = row["ratio"]
    return [
        *shown,
        number(row["floor"]["median"]) if "floor" in row else "",
        f"{ratio['median']:.2f}",
        f"{ratio['min']:.2f}–{ratio['max']:.2f}" if row["pairs"] > 1 else "",
        f"{row['floor_ratio']['median']:.2f}" if "floor_ratio" in row else "",
        f"{'≥' if row['figure'] == 'threads' else '≤'} {target:.2f}" if target is not None else "",
    ]


def title(row):
    return row["text"] + (f", {row['connections']:,} of them" if "connections" in row else "")


def verdict(row):
    return {None: "", True: "yes", False: "**no**"}[row["reached"]]


def line(backend, name, row):
    portls, hand, floor, ratio, extremes, floor_ratio, target = cells(row)
    text = f"{backend:8} {name:16} portls {portls}, by hand {hand}"
    text += f", floor {floor}" if floor else ""
    text += f"; ratio {ratio}" if ratio else ""
    text += f" ({extremes})" if extremes else ""
    text += f", floor {floor_ratio}" if floor_ratio else ""
    text += f"; target {target}: {verdict(row).strip('*')}" if target else ""
    if "wall_ratio" in row:
        text += f"; wall {row['wall_ratio']['median']:.2f}"
    return text


HEAD = """| what | portls | by hand | floor | ratio | spread | floor's | target | reached | wall |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def tables(result):
    """One table per backend."""
    facts = [*result["machine"].items(), ("Load after", " ".join(f"{each:.2f}" for each in result["load_after"]))]
    parts = [f"Measured {result['begun']}, {result['pairs']} pairs of each timed case. " + ", ".join(f"{name}: {fact}" for name, fact in facts) + "."]
    for backend, rows in result["backends"].items():
        terms = sorted({row["terms"] for row in rows.values() if row["terms"]})
        lines = [f"### {backend}", "", "; ".join(terms), "", HEAD]
        for row in rows.values():
            wall = f"{row['wall_ratio']['median']:.2f}" if "wall_ratio" in row else ""
            lines.append("| " + " | ".join([title(row), *cells(row), verdict(row), wall]) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def plot(result, path, script):
    """Has gnuplot draw the ratios of all timed cases, a bar per backend."""
    backends = list(result["backends"])
    shown = {name for rows in result["backends"].values() for name, row in rows.items() if "ratio" in row}
    names = [case.name for case in cases.CASES if case.name in shown]
    names += sorted(shown.difference(names))
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "ratios")
        with open(data, "w", encoding="utf-8") as file:
            for name in names:
                fields = [name]
                for backend in backends:
                    ratio = result["backends"][backend].get(name, {}).get("ratio")
                    fields += [f"{ratio[key]:.4f}" for key in ("median", "min", "max")] if ratio else ["?"] * 3
                file.write(" ".join(fields) + "\n")
        settings = f"data='{data}'; output='{path}'; backends='{' '.join(backends)}'"
        subprocess.run(["gnuplot", "-e", settings, script], check=True)


MARKS = ("<!-- figures: written by the target bench-docs -->\n", "<!-- end of figures -->\n")


def document(result, path, picture):
    """Replaces what stands between the marks of a document."""
    shown = f"![The ratios of each case, a bar per backend]({os.path.basename(picture)})"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    begin, end = (text.find(mark) for mark in MARKS)
    if not 0 <= begin < end:
        sys.exit(f"report: {path} lacks the marks between which the figures stand")
    whole = text[:begin] + "\n".join((MARKS[0], tables(result), shown, "", text[end:]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(whole)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as measured:
        figures = json.load(measured)
    document(figures, sys.argv[2], sys.argv[3])
    plot(figures, sys.argv[3], os.path.join(os.path.dirname(os.path.abspath(__file__)), "plot.gp"))
