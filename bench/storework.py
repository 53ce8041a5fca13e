"""A bot in, what a warm turn asks of its store out: on Firestore counted on the wire, on SQLite by its metrics."""

import asyncio
import re
import time
from collections import Counter
from pathlib import Path

import aiohttp

from bench.firestore_proxy import counting
from bench.loop import ask
from bench.subjects import Subject, free_port, tandem
from bot.errors import StoreUnusable
from bot.store import open_mirror
from tests.doubles.workspace import JSON

WARM_WITHIN_S = 60.0
AFTERWARDS_S = 1.0  # people read; an answer is in Slack before its turn is closed and the next one looked for
BESIDE = ("heartbeats", "looks for a stop", "pulses", "sweeps")
CALLS_BESIDE = ("renew", "signals", "pulse", "overdue")
# US dollars per 100,000 documents in a region of the United States; taken from a copy of Firestore's price list whose
# age is unknown (https://firebase.google.com/docs/firestore/pricing has today's).
PRICES = {"documents read": 0.03, "documents written": 0.09, "documents deleted": 0.01}


async def warm(emulator: str) -> None:
    """Let a new emulator answer its first calls, which on a busy machine take it longer than a bot waits."""
    async with asyncio.timeout(WARM_WITHIN_S):
        while True:
            try:
                mirror = await open_mirror("firestore://bench-warm/tandem", emulator_host=emulator)
            except StoreUnusable:
                continue
            await mirror.close()
            return


async def firestore_work(folder: Path, url: str, emulator: str, *, turns: int) -> JSON:
    """Per turn of `turns` questions in one thread, after a first one; and what the process asked for beside them."""
    async with counting(emulator) as (proxy, counts):
        settings = {"TANDEM_STORE": "firestore://bench-work/tandem", "FIRESTORE_EMULATOR_HOST": proxy}
        async with tandem("work", folder, url, settings) as subject:
            root = await _ask(subject, "workbegin")
            before, started = counts.copy(), time.monotonic()
            for number in range(turns):
                await _ask(subject, f"work{number}", root)
            lasted_s, found = time.monotonic() - started, counts - before
    turn = {kind: round(count / turns, 2) for kind, count in sorted(found.items()) if kind not in BESIDE}
    price = sum(turn.get(kind, 0.0) * 10 * dollars for kind, dollars in PRICES.items())
    beside = {kind: round(found[kind] / lasted_s * 60, 1) for kind in BESIDE}
    return {
        "turns": turns,
        "per_turn": turn,
        "beside_per_minute": beside,
        "dollars_per_million_turns": round(price, 2),
    }


async def sqlite_calls(folder: Path, url: str, *, turns: int) -> JSON:
    """The same of the store's methods, each of which is one transaction on SQLite."""
    port = free_port()
    async with (
        tandem("calls", folder, url, {"TANDEM_METRICS_PORT": str(port)}) as subject,
        aiohttp.ClientSession(trust_env=False) as http,
    ):
        root = await _ask(subject, "callsbegin")
        before = await _store_calls(http, port)
        for number in range(turns):
            await _ask(subject, f"calls{number}", root)
        found = await _store_calls(http, port) - before
    return {kind: round(count / turns, 2) for kind, count in sorted(found.items()) if kind not in CALLS_BESIDE}


async def _store_calls(http: aiohttp.ClientSession, port: int) -> Counter[str]:
    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = re.findall(r'^tandem_store_calls_total\{.*operation="(\w+)".*\} ([\d.]+)$', await answer.text(), re.M)
    return sum((Counter({operation: round(float(count))}) for operation, count in lines), Counter())


async def _ask(subject: Subject, name: str, root: str = "") -> str:
    """Ask, let the person read; the thread's root."""
    asked = await ask(subject, 0, name, root=root)
    if not asked.exact:
        raise RuntimeError(f"{asked.name} was not answered exactly")
    await asyncio.sleep(AFTERWARDS_S)
    return asked.root
