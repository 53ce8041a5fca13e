"""This machine in, what a turn costs on it out: `make bench`, the bot beside two floors under the same load.

It writes bench/results/turns.json and prints every promise of docs/performance.md with what was measured. `--small`
is a look of under a minute, enough to see that everything still works; its figures are not for quoting.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bench import figures, standing, storework, threads
from bench.load import Step, even_load
from bench.subjects import Subject, floor, log_of, standin, tandem
from tests.doubles.firestore_emulator import running_emulator
from tests.doubles.workspace import JSON

RESULTS = Path(__file__).parent / "results"
SMALL = (Step(1, 0, least=2), Step(10, 2))
WHOLE = (Step(1, 0, least=30), Step(50, 15, rounds=2), Step(200, 15, rounds=2))
BESIDE = (Step(1, 0, least=30), Step(50, 15, rounds=2))  # Firestore's emulator and Gemini's SDK: no promise at 200


@dataclass(slots=True)
class Bench:
    """Where things are, and what was found so far."""

    small: bool
    folder: Path
    url: str
    model: aiohttp.ClientSession
    emulator: str
    found: JSON

    async def run(self) -> None:
        """Every part, one after another; for a small look all at once."""
        self.found["start"] = await standing.starts(self.folder / "start", self.url, {}, 1 if self.small else 5)
        parts = (self._load, self._lengths, self._prefix, self._store)
        if not self.small:
            for part in parts:
                await part()
            return
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part())

    async def _load(self) -> None:
        """The floors and the bot side by side; then what only the bot can show."""
        async with AsyncExitStack() as stack:
            bare = await stack.enter_async_context(floor(figures.BARE, "floor_bare", self.folder / "bare", self.url))
            bolt = await stack.enter_async_context(floor(figures.FLOOR, "floor_bolt", self.folder / "bolt", self.url))
            bot = await stack.enter_async_context(self._tandem(figures.SQLITE))
            say("even load")
            self.found["even"] = await even_load([bare, bolt, bot], self.model, SMALL if self.small else WHOLE)
            await self._beside(bolt)
            say("messages that are not for the bot")
            self.found["passing"] = await standing.passing(bot, 100 if self.small else 2000)
            if not self.small:
                say("10,000 threads: at 80 a second two minutes, on a busy machine many")
                self.found["many"] = await standing.memory_after(bot, self.model, 10_000)

    async def _beside(self, bolt: Subject) -> None:
        """Firestore and Gemini, each with a floor in the same rounds."""
        async with AsyncExitStack() as stack:
            gemini = {"GEMINI_API_KEY": "a-key", "GOOGLE_GEMINI_BASE_URL": self.url, "TANDEM_DEFAULT_MODEL": "gemini"}
            others = [await stack.enter_async_context(self._tandem(figures.GEMINI, **gemini))]
            if self.emulator:
                store = {"TANDEM_STORE": "firestore://bench/tandem", "FIRESTORE_EMULATOR_HOST": self.emulator}
                others.append(await stack.enter_async_context(self._tandem(figures.FIRESTORE, **store)))
            if not self.small:
                sdk = floor(figures.GEMINI_FLOOR, "floor_bolt", self.folder / "sdk", self.url, "--gemini")
                others.append(await stack.enter_async_context(sdk))
            say("beside it: Firestore's emulator and Gemini")
            steps = SMALL[:1] if self.small else BESIDE
            found = await even_load([*others, bolt], self.model, steps)
            self.found["even"] += [row for row in found if row["subject"] != bolt.name]

    async def _lengths(self) -> None:
        say("threads of many lengths")
        settings = {"TANDEM_FOLLOW_UPS": "false"}
        async with (
            standin(first_ms=0, token_ms=0) as url,
            log_of(url) as model,
            tandem("lengths", self.folder / "lengths", url, settings) as bot,
        ):
            lengths, asks = ((10, 100), 3) if self.small else ((10, 100, 500, 5000), 30)
            self.found["lengths"] = await threads.by_length(bot, model, lengths, asks)

    async def _prefix(self) -> None:
        say("the second turn on llama.cpp")
        self.found["prefix"] = await threads.known_prefix(self.folder, 20 if self.small else 60)

    async def _store(self) -> None:
        turns = 2 if self.small else 10
        say("store work")
        self.found["calls"] = await storework.sqlite_calls(self.folder / "calls", self.url, turns=turns)
        if self.emulator:
            self.found["store"] = await storework.firestore_work(
                self.folder / "work", self.url, self.emulator, turns=turns
            )

    def _tandem(self, name: str, **settings: str):  # type: ignore[no-untyped-def]  # see `tandem`
        return tandem(name, self.folder / name.replace(" ", "-"), self.url, settings)


def say(what: str) -> None:
    """Tell who waits."""
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


async def measure(small: bool, folder: Path, found: JSON) -> None:
    """All that there is to know, into `found` as it is found."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(standin())
        model = await stack.enter_async_context(log_of(url))
        try:
            emulator = stack.enter_context(running_emulator(folder / "emulator.log")).host
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:  # as it says to tests what it lacks
            say(f"without Firestore: {missing}")
            emulator = ""
        if emulator:
            await storework.warm(emulator)
        await Bench(small, folder, url, model, emulator, found).run()


def main() -> int:
    """Measure, print, write the numbers down; 1 where an answer was not exact."""
    parser = argparse.ArgumentParser(prog="python -m bench.turns", description="What a turn costs.")
    parser.add_argument("--small", action="store_true", help="under a minute, to see that everything works")
    parser.add_argument("--keep", type=Path, help="a folder for logs and stores, which is not deleted")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("turns-small.json" if options.small else "turns.json")
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        kept = options.keep or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": os.getloadavg()[2]}
        found: JSON = {"small": options.small, "machine": machine}
        started = time.monotonic()
        try:
            asyncio.run(measure(options.small, kept, found))
        finally:  # also what an interrupted run has found
            found["lasted_s"] = round(time.monotonic() - started)
            path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    for figure in figures.figures(found):
        sign = {True: "✓", False: "✗", None: " "}[figure.kept]
        limit = f"{'≥' if figure.at_least else '≤'} {figure.bound:g}"
        value = "not measured" if figure.value is None else f"{figure.value:g}"
        print(f"{sign} {figure.name:66} {value:>12} {figure.unit:3} ({limit})")
    print(f"written to {path.relative_to(RESULTS.parents[1])} after {found['lasted_s']} s")
    return int(any(row["wrong"] for row in found["even"]))


if __name__ == "__main__":
    sys.exit(main())
