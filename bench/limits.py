"""Slack's documented limits in, what people still see of a bot under them out: `make bench-limits`.

Many ask at once, or many a minute. Counted is what Slack refused, how long the last word of each answer came after the
model's, in which order, and in which mode each was shown. It writes bench/results/limits.json.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from bench import town
from bench.load import SLACK_MS
from bench.loop import Asked, ask
from bench.patience import judged
from bench.subjects import Subject, log_of, serving_at, slack, standin
from bench.turns import RESULTS, say
from tests.doubles.workspace import JSON

PEOPLE = 120


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who asks when, and what Slack and the bot are told."""

    name: str
    when: tuple[float, ...]
    """The seconds at which questions come."""
    place: Callable[[int], str]
    """Where the nth question is asked; "" is a direct message."""
    within_s: float
    """So long after the model's last word the answer shall be whole."""
    refused_share: float = 0.01
    refused_after_s: float = 0.0
    """Refusals count from then on: before it the budget learns."""
    scale: float = 1.0
    replicas: int = 1

    @property
    def label(self) -> str:
        """Its name as a part of a question's."""
        return "".join(filter(str.isalnum, self.name))


def in_channels(number: int) -> str:
    """Five channels in turn."""
    return town.channel(number)


def in_direct_messages(_number: int) -> str:
    """Everybody in their own."""
    return ""


def mixed(number: int) -> str:
    """Every other question in a direct message."""
    return town.channel(number // 2) if number % 2 else ""


def scenarios(small: bool) -> list[Scenario]:
    """What is tried, one after another."""
    if small:
        return [Scenario("10 at once in channels", (0.0,) * 10, in_channels, 5)]
    crowds = [
        Scenario(f"{people} at once in {where}", (0.0,) * people, place, within_s)
        for people, within_s in ((10, 5), (30, 15), (60, 30))
        for where, place in (("channels", in_channels), ("direct messages", in_direct_messages))
    ]
    steadily = tuple(number * 1.5 for number in range(120))
    learning = Scenario("", steadily, mixed, within_s=120, refused_share=0.05, refused_after_s=60)
    return [
        Scenario("40 a minute", steadily, mixed, 30),
        replace(learning, name="40 a minute, half the limits", scale=0.5),
        replace(learning, name="40 a minute, three replicas", replicas=3),
        *crowds,
    ]


async def play(scenario: Scenario, folder: Path, url: str, model: aiohttp.ClientSession) -> JSON:
    """One scenario with a fresh Slack and fresh processes."""
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(slack(folder, PEOPLE))
        settings = {"TANDEM_SLACK_LIMITS": "documented", "TANDEM_STORE": f"sqlite:///{folder / 'tandem.db'}"}
        for number in range(scenario.replicas):
            running = serving_at(workspace, folder / f"bot{number}.log", url, settings)
            process, ready_s = await stack.enter_async_context(running)
        subject = Subject(scenario.name, workspace, process, ready_s)
        await workspace.trouble(rate_limits="documented", scale=scenario.scale, latency_ms={"*": SLACK_MS})
        label = scenario.label
        began = time.time()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_asked(subject, scenario, n, label)) for n in range(len(scenario.when))]
        asked = [task.result() for task in tasks]
        busy = [each.name for each in asked if await _busy(subject, each)]
        async with model.get("/log", params={"of": label}) as answer:
            log = {each["question"]: each for each in await answer.json()}
        calls = [call for call in await workspace.calls() if call["at"] >= began]
    judgement = judged(asked, calls, log, refused_after=began + scenario.refused_after_s)
    row = {"scenario": scenario.name, "turns": len(asked), "left_busy": busy, **judgement}
    row |= _kept(scenario, judgement)
    show(row)
    return row


async def _asked(subject: Subject, scenario: Scenario, number: int, label: str) -> Asked:
    await asyncio.sleep(scenario.when[number])
    return await ask(subject, number, f"{label}n{number}", channel=scenario.place(number), settle_s=1.0)


async def _busy(subject: Subject, asked: Asked) -> bool:
    """Whether people would still see that the bot is at work there."""
    status = await subject.workspace.status(asked.channel, asked.root)
    return status["status"] == "processing" or bool(status["text"])


def _kept(scenario: Scenario, judgement: JSON) -> JSON:
    """The promises of this scenario, each with whether it is kept."""
    return {
        "kept": {
            "every answer exact": not judgement["wrong"],
            f"at most {scenario.refused_share:.0%} refused": judgement["refused_share"] <= scenario.refused_share,
            "none sent inside a Retry-After": scenario.replicas > 1 or not judgement["impatient"],
            f"whole within {scenario.within_s:g} s": judgement["final_s"]["most"] <= scenario.within_s,
            f"status cleared within {scenario.within_s:g} s": judgement["cleared_s"]["most"] <= scenario.within_s,
            "none overtaken by more than 5": scenario.replicas > 1 or judgement["overtaken_by"] <= 5,
        }
    }


async def _play_all(small: bool, folder: Path) -> list[JSON]:
    async with standin() as url, log_of(url) as model:
        all_of_them = scenarios(small)
        crowds = [scenario for scenario in all_of_them if len(set(scenario.when)) == 1]

        async def play_in_turn() -> list[JSON]:
            return [await play(scenario, folder / scenario.label, url, model) for scenario in crowds]

        async with asyncio.TaskGroup() as group:  # what comes steadily leaves the machine nearly idle
            in_turn = group.create_task(play_in_turn())
            steady = [
                group.create_task(play(scenario, folder / scenario.label, url, model))
                for scenario in all_of_them
                if scenario not in crowds
            ]
        return [*in_turn.result(), *(task.result() for task in steady)]


def show(row: JSON) -> None:
    """One scenario in a few lines."""
    say(row["scenario"])
    final, modes = row["final_s"], ", ".join(f"{count} {mode}" for mode, count in row["modes"].items())
    print(f"  {row['turns']} turns ({modes}); whole after {final['p50']:.1f} s, at most {final['most']:.1f} s")
    print(f"  {row['refused']} of {row['calls']} calls refused ({row['refused_share']:.1%} of those that count)")
    broken = [promise for promise, kept in row["kept"].items() if not kept]
    print("  ✓ all kept" if not broken else f"  ✗ not kept: {'; '.join(broken)}", flush=True)


def main() -> int:
    """Play, print, write the numbers down; 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description="A bot under Slack's real limits.")
    parser.add_argument("--small", action="store_true", help="one scenario only")
    parser.add_argument("--keep", type=Path, help="a folder for logs and stores, which is not deleted")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-limits-") as folder:
        found = asyncio.run(_play_all(options.small, options.keep or Path(folder)))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("limits-small.json" if options.small else "limits.json")
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(f"written to {path.relative_to(RESULTS.parents[1])}")
    return int(any(not all(row["kept"].values()) for row in found))


if __name__ == "__main__":
    sys.exit(main())
