"""A bot on Firestore in, what a warm turn asks of the database out, counted on the wire between the two."""

import asyncio
from collections import Counter
from pathlib import Path

import aiohttp

from bench.firestore_proxy import counting
from bench.loop import ask
from bench.subjects import tandem
from tests.doubles.workspace import JSON

QUIET_S = 10.0
# US dollars per 100,000 documents in a region of the United States; taken from a copy of Firestore's price list whose
# age is unknown (https://firebase.google.com/docs/firestore/pricing has today's).
PRICES = {"documents read": 0.03, "documents written": 0.09, "documents deleted": 0.01}


async def firestore_work(folder: Path, model: aiohttp.ClientSession, url: str, emulator: str, turns: int) -> JSON:
    """Per turn: `turns` questions in one thread, after a first one; without what an idle bot does in the same time."""
    async with counting(emulator) as (proxy, counts):
        settings = {"TANDEM_STORE": "firestore://bench-work/tandem", "FIRESTORE_EMULATOR_HOST": proxy}
        async with tandem("work", folder, url, settings) as subject:
            first = await ask(subject, 0, "workbegin")
            loop = asyncio.get_running_loop()
            before, started = counts.copy(), loop.time()
            for number in range(turns):
                asked = await ask(subject, 0, f"work{number}", root=first.root)
                if not asked.exact:
                    raise RuntimeError(f"{asked.name} was not answered exactly")
            busy_s, busy = loop.time() - started, counts - before
            before, started = counts.copy(), loop.time()
            await asyncio.sleep(QUIET_S)
            quiet_s, quiet = loop.time() - started, counts - before
    return _report(busy, quiet, turns, busy_s / quiet_s)


def _report(busy: Counter[str], quiet: Counter[str], turns: int, scale: float) -> JSON:
    kinds = sorted(busy | quiet)
    turn = {kind: round((busy[kind] - quiet[kind] * scale) / turns, 2) for kind in kinds}
    price = sum(turn.get(kind, 0.0) * 10 * dollars for kind, dollars in PRICES.items())
    idle = {kind: round(quiet[kind] / QUIET_S * 60, 1) for kind in kinds}
    return {"turns": turns, "per_turn": turn, "idle_per_minute": idle, "dollars_per_million_turns": round(price, 2)}
