"""The core with real stores on one side and scripted models and a transcript on the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.conversation.answer import Answerer, Style
from bot.conversation.arrival import Arrival
from bot.conversation.choice import Chooser
from bot.conversation.intake import Intake
from bot.conversation.outages import Outages
from bot.conversation.ports import Replies
from bot.conversation.recall import Recall
from bot.conversation.repair import Repair
from bot.conversation.thread import Channel, Message, Person, Thread, ThreadKey
from bot.conversation.triage import Rules
from bot.conversation.worker import Worker
from bot.errors import SlackError, SlackUnavailable
from bot.store import Mirror, open_mirror
from tests.doubles.scripted_model import ScriptedModel
from tests.doubles.transcript import Shown, Transcript


@dataclass
class People:
    """Who people are: a Directory and an Archive of what a test says, counting what it is asked."""

    guests: frozenset[str] = frozenset()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    archive: list[Message] = field(default_factory=list)
    archive_error: SlackError | None = None
    said: list[Arrival] = field(default_factory=list)  # all that stands in the thread now
    began: list[Arrival] = field(default_factory=list)  # all that stands outside threads
    asked: list[str] = field(default_factory=list)

    async def person(self, team_id: str, user_id: str) -> Person:
        """Somebody with a name."""
        self.asked.append(user_id)
        if user_id == "U0GONE":
            raise SlackUnavailable("users.info")
        return Person(team_id, user_id, user_id[2:].title(), is_guest=user_id in self.guests, fetched_at=1.0)

    async def channel(self, team_id: str, channel_id: str) -> Channel:
        """Some channel."""
        return Channel(team_id, channel_id, channel_id[2:].lower(), fetched_at=1.0)

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """As the test says."""
        return user_id in self.members.get(channel_id, frozenset())

    async def history(self, thread: Thread, *, before_ts: str, newest: int) -> Sequence[Message]:
        """What was said before."""
        self.asked.append(f"history of {thread.key}")
        if self.archive_error:
            raise self.archive_error
        return [m for m in self.archive if m.ts < before_ts][-newest:]

    async def since(self, thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        """What stands there."""
        self.asked.append(f"{thread.key} since {oldest_ts}")
        if self.archive_error:
            raise self.archive_error
        return {said.message.ts: said for said in self.said if said.message.ts >= oldest_ts}

    async def roots(self, thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        """What stands outside threads."""
        self.asked.append(f"{thread.key.channel_id} since {oldest_ts}")
        return {began.message.ts: began for began in self.began if began.message.ts >= oldest_ts}


@dataclass
class Core:
    """One process's core."""

    mirror: Mirror
    models: dict[str, ScriptedModel]
    people: People
    transcript: Transcript
    worker: Worker
    intake: Intake
    chooser: Chooser
    outages: Outages

    async def settled(self, timeout_s: float = 10.0) -> list[Shown]:
        """Wait until nothing runs and nothing waits; what people see then."""
        async with asyncio.timeout(timeout_s):
            while self.worker.busy:
                await asyncio.sleep(0.005)
        return self.transcript.shown

    async def messages(self, key: ThreadKey) -> Sequence[Message]:
        """What the mirror holds of a thread."""
        return await self.mirror.threads.messages(key)


@asynccontextmanager
async def core(
    path: Path,
    *,
    owner: str = "replica-1",
    lease_s: float = 10.0,
    models: Sequence[ScriptedModel] = (),
    rules: Rules | None = None,
    people: People | None = None,
    transcript: Transcript | None = None,
    replies: Replies | None = None,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Core]:
    """A core on an SQLite mirror; several on one file are several replicas."""
    mirror = await open_mirror(f"sqlite:///{path / 'tandem.db'}")
    by_id = {model.entry.id: model for model in models or [ScriptedModel()]}
    people = people or People()
    transcript = transcript or Transcript()
    first = next(iter(by_id))
    chooser = Chooser([m.entry for m in by_id.values()], first, threads=mirror.threads, directory=people)
    rules = rules or Rules()
    outages = Outages(mirror.turns, now=now)
    worker = Worker(
        mirror.turns,
        _answerer(by_id, chooser, replies or transcript, Recall(mirror.threads, people, people)),
        owner=owner,
        lease_s=lease_s,
        max_turns=8,
        monotonic=time.monotonic,
        repair=Repair(mirror.turns, mirror.threads, people, outages, rules, now=now),
    )
    intake = Intake(
        mirror.turns,
        mirror.threads,
        worker,
        notice=transcript.notice,
        rules=rules,
        now=now,
        missed=outages.missed,
    )
    running = asyncio.create_task(worker.run())
    try:
        yield Core(mirror, by_id, people, transcript, worker, intake, chooser, outages)
    finally:
        running.cancel()
        await worker.drain(0)
        await asyncio.gather(running, return_exceptions=True)
        await mirror.close()


def _answerer(models: Mapping[str, ScriptedModel], chooser: Chooser, replies: Replies, recall: Recall) -> Answerer:
    return Answerer(
        models,
        chooser,
        replies=replies,
        recall=recall,
        style=Style("Be kind."),
        monotonic=time.monotonic,
        reference=lambda: "ref-1",
    )


def model(id_: str, *script: str, **facts: object) -> ScriptedModel:
    """A model of that name that says these pieces."""
    made = ScriptedModel([list(script) or [f"I am {id_}."]])
    made.entry = replace(made.entry, id=id_, label=id_.title(), **facts)  # type: ignore[arg-type]  # any field
    return made
