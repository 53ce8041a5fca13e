"""A bot in, what a thread's length costs it out: the time until the model is asked, and what it reads anew."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import aiohttp

from bench import replies, town
from bench.load import shares
from bench.loop import acknowledged
from bench.subjects import Subject, tandem
from bot.conversation.thread import ThreadKey, Usage
from bot.store import open_mirror
from tests.doubles.llama import serving
from tests.doubles.tiny_gemma import write_tiny_gemma
from tests.doubles.workspace import JSON, Workspace

AT_ONCE = 20
HISTORY_CALLS = ("conversations.replies", "conversations.history")
CHATTER = "The ship leaves the harbour at noon, says the captain; bring bread, water and number"


async def by_length(subject: Subject, model: aiohttp.ClientSession, lengths: Sequence[int], asks: int) -> list[JSON]:
    """Threads of so many messages, and how long a mention there takes until the model is asked."""
    await subject.workspace.reset()
    return [await _asked_in(subject, model, length, asks) for length in lengths]


async def _asked_in(subject: Subject, model: aiohttp.ClientSession, length: int, asks: int) -> JSON:
    workspace, channel = subject.workspace, town.channel(0)
    root = await begin_thread(workspace, channel, length)
    since = max((call["n"] for call in await workspace.calls()), default=0)
    request_ms: list[float] = []
    for number in range(asks):
        name = f"length{length}n{number}"
        ts = await workspace.say(town.person(0), channel, f"@Tandem {replies.question(name, 5)}", root)
        await workspace.reply(channel, root, ts, settle_s=0.1)
        sent = [d["at"] for d in await workspace.deliveries() if d["payload"]["event"].get("ts") == ts]
        async with model.get("/log", params={"of": name}) as answer:
            (asked,) = await answer.json()
        request_ms.append((asked["arrived"] - min(sent)) * 1000)
    calls = [call["method"] for call in await workspace.calls(since=since)]
    reads = sum(calls.count(method) for method in HISTORY_CALLS)
    prompt = asked["prompt_chars"]
    return {"messages": length, "request_ms": shares(request_ms), "history_calls": reads, "prompt_chars": prompt}


async def begin_thread(workspace: Workspace, channel: str, length: int) -> str:
    """A thread in which the bot was mentioned once, and others then talked; its root."""
    root = await workspace.say(town.person(0), channel, f"@Tandem {replies.question(f'begin{length}', 5)}")
    await workspace.reply(channel, root, root, settle_s=0.1)
    for begin in range(2, length, AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for number in range(begin, min(begin + AT_ONCE, length)):
                group.create_task(workspace.say(town.person(number % 10), channel, f"{CHATTER} {number}", root))
    await acknowledged(workspace)
    return root


async def known_prefix(folder: Path, messages: int) -> JSON:
    """The second turn of a long thread on a real llama.cpp: what of the earlier prompt it need not read again."""
    gemma = write_tiny_gemma(folder / "tiny.gguf", "The ship has left")
    with serving(gemma, context=8192) as llama:
        settings = {"GEMMA_API_KEY": llama.key, "TANDEM_FOLLOW_UPS": "false"}
        async with tandem("llama", folder, llama.url, settings) as subject:
            channel = town.channel(0)
            root = await begin_thread(subject.workspace, channel, messages)
            for number in range(3):
                ts = await subject.workspace.say(town.person(0), channel, f"@Tandem and then, in {number} words?", root)
                await subject.workspace.reply(channel, root, ts, settle_s=0.2)
        usages = await _usages(f"sqlite:///{folder / 'llama.db'}", ThreadKey(channel, root))
    shares_known = [now.cached / before.prompt for before, now in pairwise(usages[1:])]
    return {"messages": messages, "prompt_tokens": usages[-1].prompt, "known": [round(s, 3) for s in shares_known]}


async def _usages(store: str, thread: ThreadKey) -> list[Usage]:
    mirror = await open_mirror(store)
    try:
        return [message.usage for message in await mirror.threads.messages(thread) if message.usage]
    finally:
        await mirror.close()
