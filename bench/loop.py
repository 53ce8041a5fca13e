"""A running app in, what it did under a closed loop of questions out: whoever has their answer asks the next one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import replies, town
from bench.subjects import Subject
from tests.doubles.workspace import JSON, Refused, Workspace

SPREAD_S = 2.4  # the first questions come spread over about one turn, so that threads do not march in step
RAMP_S = 3.0
GIVE_UP_S = 150.0


@dataclass(slots=True)
class Asked:
    """One question that somebody asked, and whether its answer came, letter by letter."""

    name: str
    channel: str
    root: str
    ts: str
    exact: bool = False
    parts: list[str] = field(default_factory=list)
    """The messages that show the answer."""


@dataclass(slots=True)
class Run:
    """All that was asked in one run, and what the app used while the load was even."""

    threads: int
    asked: list[Asked] = field(default_factory=list)
    began: float = 0.0
    """When the load was even, in seconds since the epoch, and when it ended."""
    ended: float = 0.0
    cpu_s: float = 0.0
    memory_mib: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Questions without their exact answer."""
        return [asked.name for asked in self.asked if not asked.exact]


async def drive(
    subject: Subject,
    threads: int,
    *,
    label: str,
    seconds: float = 0.0,
    least: int = 1,
    tokens: int = 200,
    thread_of: Callable[[int, int], bool] = lambda _person, turn: turn == 0,
) -> Run:
    """Let `threads` people ask, each one question after another, for `seconds` and at least `least` times each.

    `thread_of(person, turn)` says whether that turn begins a new thread; by default everybody stays in one.
    """
    run = Run(threads)
    over = asyncio.Event()

    async def ask_on(number: int) -> None:
        await asyncio.sleep(SPREAD_S * number / threads)
        root, turn = "", 0
        while turn < least or not over.is_set():
            root = "" if thread_of(number, turn) else root
            asked = await ask(subject, number, f"{label}p{number}n{turn}", root=root, tokens=tokens)
            run.asked.append(asked)
            root, turn = asked.root, turn + 1

    async def watch() -> None:
        await asyncio.sleep(RAMP_S if seconds else 0.0)
        run.began, before = time.time(), subject.cpu_s()
        await asyncio.sleep(seconds)
        over.set()
        if seconds:
            run.ended, run.cpu_s, run.memory_mib = time.time(), subject.cpu_s() - before, subject.memory_mib()

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        for number in range(threads):
            group.create_task(ask_on(number))
    run.ended = run.ended or time.time()
    return run


async def ask(
    subject: Subject,
    number: int,
    name: str,
    *,
    root: str = "",
    tokens: int = 200,
    channel: str = "",
    settle_s: float = 0.0,
) -> Asked:
    """One question, by default in a direct message, and whether what people then read is the answer.

    With `settle_s` an answer may stand still for so long and yet grow: it is looked at until it is whole.
    """
    words, place = replies.question(name, tokens), channel or town.direct(number)
    ts = await subject.workspace.say(town.person(number), place, f"@Tandem {words}" if channel else words, root or None)
    asked, until = Asked(name, place, root or ts, ts), time.monotonic() + GIVE_UP_S
    while not asked.exact and (left_s := until - time.monotonic()) > 0:
        try:
            shown = await subject.workspace.reply(place, asked.root, ts, timeout_s=left_s, settle_s=settle_s)
        except Refused:
            return asked
        asked.parts = [str(message["ts"]) for message in shown]
        asked.exact = markdown(shown) == replies.text(name, tokens)
        if not settle_s:
            break
    return asked


async def acknowledged(workspace: Workspace) -> None:
    """Wait until the app has taken every event so far."""
    while not all(delivery["acked"] for delivery in await workspace.deliveries()):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.05)


def markdown(messages: list[JSON]) -> str:
    """What these messages say, without what stands under them."""
    blocks = [block for message in messages for block in message.get("blocks", ())]
    return "".join(block["text"] for block in blocks if block["type"] == "markdown")
