"""Running apps in, their figures under the same even load out: round by round, so that all meet the same machine."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import aiohttp

from bench.loop import Run, drive
from bench.subjects import Subject
from bench.timings import Timing, timings
from tests.doubles.workspace import JSON

SLACK_MS = 50.0
FIRST_MS, TOKEN_MS, TOKENS = 200.0, 10.0, 200
STEPS = [field.name for field in fields(Timing) if field.name.endswith("_ms")]


@dataclass(frozen=True, slots=True)
class Step:
    """So many threads for so long, so many times; `least` turns each."""

    threads: int
    seconds: float
    rounds: int = 1
    least: int = 1


async def even_load(subjects: Sequence[Subject], model: aiohttp.ClientSession, steps: Sequence[Step]) -> list[JSON]:
    """The figures of each subject at each step. At one thread all of them run at once: hardly anything runs then."""
    found: list[JSON] = []
    for step in steps:
        gathered: dict[str, list[tuple[Run, list[Timing]]]] = {subject.name: [] for subject in subjects}
        for number in range(step.rounds):
            label = f"t{step.threads}r{number}"
            if step.threads == 1:
                async with asyncio.TaskGroup() as group:
                    for subject in subjects:
                        group.create_task(_one(subject, model, step, label, gathered[subject.name]))
            else:
                for subject in subjects:
                    await _one(subject, model, step, label, gathered[subject.name])
        found += [{"subject": name, "threads": step.threads, **figures(runs)} for name, runs in gathered.items()]
    return found


async def _one(
    subject: Subject, model: aiohttp.ClientSession, step: Step, label: str, into: list[tuple[Run, list[Timing]]]
) -> None:
    run, measured = await measured_run(subject, model, step, label)
    print(f"  {subject.name}: {len(measured)} turns with {step.threads} threads", flush=True)
    into.append((run, measured))


async def measured_run(
    subject: Subject, model: aiohttp.ClientSession, step: Step, label: str, **options: Any
) -> tuple[Run, list[Timing]]:
    """One run from a clean Slack, and its turns."""
    name = "".join(filter(str.isalnum, subject.name)) + label
    await subject.workspace.reset()
    await subject.workspace.trouble(latency_ms={"*": SLACK_MS})
    run = await drive(
        subject, step.threads, label=name, seconds=step.seconds, least=step.least, tokens=TOKENS, **options
    )
    deliveries, calls = await subject.workspace.deliveries(), await subject.workspace.calls()
    async with model.get("/log", params={"of": name}) as answer:
        return run, timings(run, deliveries, calls, await answer.json())


def figures(runs: Sequence[tuple[Run, list[Timing]]]) -> JSON:
    """All rounds of one step together. What ended outside the even part counts for nothing but exactness."""
    even = [t for run, measured in runs for t in measured if run.began <= t.final_at < run.ended]
    lasted = sum(run.ended - run.began for run, _ in runs)
    asked = sum(len(run.asked) for run, _ in runs)
    steps = {step: shares([getattr(timing, step) for timing in even]) for step in STEPS}
    return {
        "turns": len(even),
        "asked": asked,
        "wrong": [name for run, _ in runs for name in run.wrong],
        "turns_per_s": round(len(even) / lasted, 2),
        "cpu_ms": round(sum(run.cpu_s for run, _ in runs) / max(1, len(even)) * 1000, 2),
        "memory_mib": round(max(run.memory_mib for run, _ in runs), 1),
        "slack_calls": round(sum(timing.calls for timing in even) / max(1, len(even)), 2),
        **steps,
    }


def shares(values: Sequence[float]) -> JSON:
    """The median and the 95th percentile."""
    if not values:
        return {"p50": None, "p95": None}
    ordered = sorted(values)
    return {"p50": round(ordered[len(ordered) // 2], 1), "p95": round(ordered[len(ordered) * 95 // 100], 1)}
