"""What the benches wrote down in, the tables and the picture of docs/performance.md out: `python -m bench.report`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.figures import BARE, FIRESTORE, FLOOR, GEMINI, GEMINI_FLOOR, SQLITE, Figure, figures
from bench.plot import Panel, picture
from bench.turns import RESULTS
from tests.doubles.workspace import JSON

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"
STEPS = {"ack_ms": "ack", "sign_ms": "first sign", "request_ms": "model asked", "first_ms": "first text"}
SHOWN = (BARE, FLOOR, SQLITE, FIRESTORE, GEMINI_FLOOR, GEMINI)


def main() -> None:
    """Renew every part of the page whose numbers are there."""
    parts: dict[str, Callable[[Any], str]] = {"turns": _turns, "limits": _limits, "profile": _profile}
    page = PAGE.read_text("utf-8")
    for name, table in parts.items():
        source = RESULTS / f"{name}.json"
        if source.is_file():
            page = renewed(page, name, table(json.loads(source.read_text("utf-8"))))
    PAGE.write_text(page, "utf-8")


def renewed(page: str, name: str, table: str) -> str:
    """The page with another text between the marks of this name."""
    first, last = f"<!-- {name}: made by python -m bench.report -->", f"<!-- end of {name} -->"
    before, _, rest = page.partition(first)
    _, closed, after = rest.partition(last)
    if not closed:
        raise SystemExit(f"{PAGE.name} has no part named {name}")
    return f"{before}{first}\n{table}\n{last}{after}"


def _turns(measured: JSON) -> str:
    even = {(row["subject"], row["threads"]): row for row in measured["even"]}
    PICTURE.write_text(picture(list(_panels(even))), "utf-8")
    parts = [_machine(measured), "", *_promises(figures(measured)), "", *_even(measured["even"]), *_work(measured)]
    return "\n".join(parts)


def _machine(measured: JSON) -> str:
    machine = measured["machine"]
    load = f"{machine['load_before']:.1f}"
    return f"{machine['cores']} cores, Python {machine['python']}; other work on the machine before: a load of {load}."


def _promises(found: list[Figure]) -> Iterator[str]:
    yield from ("| promise | measured | at most / at least | |", "|---|--:|--:|---|")
    for figure in found:
        value = "–" if figure.value is None else f"{figure.value:g} {figure.unit}".strip()
        bound = f"{'≥' if figure.at_least else '≤'} {figure.bound:g} {figure.unit}".strip()
        kept = {True: "kept", False: "**missed**", None: "not measured"}[figure.kept]
        yield f"| {figure.name} | {value} | {bound} | {kept} |"


def _work(measured: JSON) -> Iterator[str]:
    """What a warm turn asks of its store."""
    if calls := measured.get("calls"):
        told = ", ".join(f"{operation} {count:g}" for operation, count in calls.items())
        yield from ("", f"A warm turn's calls of the store on SQLite, {sum(calls.values()):g} transactions: {told}.")
    if work := measured.get("store"):
        told = ", ".join(f"{count:g} {kind}" for kind, count in work["per_turn"].items() if count)
        price = f"${work['dollars_per_million_turns']:.2f} for a million such turns"
        yield from ("", f"On Firestore, in a thread of 2 to {2 * work['turns'] + 2} messages: {told}; {price}.")


def _even(rows: list[JSON]) -> Iterator[str]:
    """Medians, with the 95th percentile behind a slash."""
    heads = ["", "threads", "turns a second", "CPU a turn", "memory", "calls", *STEPS.values(), "final text"]
    yield from (f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}")
    for row in sorted(rows, key=lambda row: (row["threads"], SHOWN.index(row["subject"]))):
        loaded = row["threads"] > 1
        rate = f"{row['turns_per_s']:.1f}" if loaded else "–"
        used = [f"{row['cpu_ms']:.1f} ms", f"{row['memory_mib']:.0f} MiB"] if loaded else ["–", "–"]
        steps = [f"{row[step]['p50']} / {row[step]['p95']}" for step in (*STEPS, "final_ms")]
        cells = [row["subject"], str(row["threads"]), rate, *used, f"{row['slack_calls']:.1f}", *steps]
        yield f"| {' | '.join(cells)} |"


def _panels(even: dict[tuple[str, int], JSON]) -> Iterator[Panel]:
    loads = [threads for threads in (50, 200) if (SQLITE, threads) in even]
    bars = {name: [even[name, threads] for threads in loads] for name in (BARE, FLOOR, SQLITE)}
    labels = [f"{threads} threads" for threads in loads]
    yield Panel("turns a second", labels, {name: [row["turns_per_s"] for row in rows] for name, rows in bars.items()})
    yield Panel("CPU ms a turn", labels, {name: [row["cpu_ms"] for row in rows] for name, rows in bars.items()})
    late = {name: [row["final_ms"]["p95"] for row in rows] for name, rows in bars.items()}
    yield Panel("final text, ms beyond the model, p95", labels, late)


def _limits(rows: list[JSON]) -> str:
    heads = ("", "turns", "modes", "refused", "whole after: median", "at most", "overtaken by", "kept")
    table = [f"| {' | '.join(heads)} |", "|---|--:|---|--:|--:|--:|--:|---|"]
    for row in rows:
        modes = ", ".join(f"{count} {mode}" for mode, count in row["modes"].items())
        broken = [promise for promise, kept in row["kept"].items() if not kept]
        refused = f"{row['refused']} of {row['calls']}"
        times = [f"{row['final_s'][share]:.1f} s" for share in ("p50", "most")]
        kept = "all" if not broken else f"**not: {', '.join(broken)}**"
        cells = [row["scenario"], str(row["turns"]), modes, refused, *times, str(row["overtaken_by"]), kept]
        table.append(f"| {' | '.join(cells)} |")
    return "\n".join(table)


def _profile(found: JSON) -> str:
    rows = [f"| {part} | {share:.0%} |" for part, share in found["shares"].items() if share >= 0.01]
    head = f"{found['threads']} threads, {found['samples']:,} samples:"
    return "\n".join([head, "", "| where | share |", "|---|--:|", *rows])


if __name__ == "__main__":
    main()
