"""A bot in, what it takes before and beside any load out: its start, its memory, and messages that are not for it."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from bench import town
from bench.loop import acknowledged, drive
from bench.subjects import Subject, serving_at, slack
from tests.doubles.workspace import JSON

IDLE_S = 3.0
OLD_S = 3600.0


async def starts(folder: Path, model: str, settings: Mapping[str, str], times: int) -> JSON:
    """Seconds from the process's start until /readyz says yes, and what it then holds; Slack answers at once."""
    ready, memory = [], []
    async with slack(folder, 2) as workspace:
        for number in range(times):
            async with serving_at(workspace, folder / f"start{number}.log", model, settings) as (process, ready_s):
                ready.append(round(ready_s, 2))
                await asyncio.sleep(IDLE_S if number == 0 else 0)
                memory.append(process.memory_info().rss / 2**20)
    return {"ready_s": sorted(ready)[len(ready) // 2], "all_s": ready, "idle_mib": round(memory[0], 1)}


async def memory_after(subject: Subject, model: aiohttp.ClientSession, threads: int) -> JSON:
    """What the process holds after so many threads of one short turn each, and once it has been left alone."""
    people = 200
    await subject.workspace.reset()
    await model.post("/pace", json={"first_ms": 0, "token_ms": 0})
    before = subject.memory_mib()
    each = max(1, threads // people)
    run = await drive(subject, people, label="many", least=each, tokens=8, thread_of=lambda _person, _turn: True)
    await asyncio.sleep(IDLE_S)
    await model.post("/pace", json={"first_ms": 200, "token_ms": 10})
    held = round(subject.memory_mib(), 1)
    return {"threads": len(run.asked), "wrong": len(run.wrong), "before_mib": round(before, 1), "after_mib": held}


async def passing(subject: Subject, messages: int) -> JSON:
    """What a message costs that is not for the bot: a root in a channel, and a reply in an old thread of others."""
    return {
        "root_cpu_ms": await _cost(subject, messages, reply=False),
        "reply_cpu_ms": await _cost(subject, messages, reply=True),
    }


async def _cost(subject: Subject, messages: int, *, reply: bool) -> float:
    workspace, channel, now = subject.workspace, town.channel(0), time.time()
    await workspace.reset()
    before = subject.cpu_s()
    for number in range(messages):
        event = {
            "type": "message",
            "channel": channel,
            "channel_type": "channel",
            "user": town.person(number % 10),
            "team": "T0TANDEM",
            "text": "Shall we have lunch at the harbour? It is sunny, and there is fish.",
            "ts": f"{now + number / 1000:.6f}",
        }
        await workspace.post("event", event=event | ({"thread_ts": f"{now - OLD_S:.6f}"} if reply else {}))
    await acknowledged(workspace)
    return round((subject.cpu_s() - before) / messages * 1000, 3)
