"""Several replicas of the real core and the real replies on one store and one Slack, without I/O, on a virtual clock.

Real: conversation/, the SQLite stores' SQL, slack/ from replies down to slack_sdk's client, and the playground's Slack.
Not real: the file and its thread, sockets, time, the models, and how events are read (arrivals are made directly).
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation.answer import Answerer, Style
from bot.conversation.arrival import Outcome
from bot.conversation.choice import Chooser
from bot.conversation.intake import Intake
from bot.conversation.outages import Outages
from bot.conversation.recall import Recall
from bot.conversation.repair import Repair
from bot.conversation.triage import Rules
from bot.conversation.turn import Turn
from bot.conversation.worker import Worker
from bot.errors import SlackError, StoreUnavailable
from bot.slack.archive import SlackArchive
from bot.slack.authorize import Identity
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.events import EventReader
from bot.slack.marks import TURN_EVENT
from bot.slack.replies import SlackReplies
from tests.doubles.core import People
from tests.doubles.memory_store import MemoryDatabase
from tests.doubles.processes import Process, ProcessLoop, beyond
from tests.doubles.tagged_model import Tag, TaggedModel
from tests.doubles.wireless_slack import WirelessSlack

T = TypeVar("T")
JSON = dict[str, Any]
EPOCH = 1_700_000_000.0  # what the wall clocks say when the virtual one says 0
LEASE_S = 10.0
ACCEPT_S = 1.5  # as bot/slack/middleware.py
_THERE_S, _BACK_S = 0.02, 0.02


@dataclass
class StoreTrouble:
    """What happens to the next accesses: they are not done, or done without anybody hearing of it; or all is down."""

    down_until: float = 0.0
    fail: int = 0
    lose_answer: int = 0


class World:
    """Everything outside the replicas: time, the store, Slack, what people said and what was seen to go wrong."""

    def __init__(self) -> None:
        self.loop = ProcessLoop()
        self.database = MemoryDatabase()
        self.slack = WirelessSlack(latency_s=_THERE_S)
        workspace = self.slack.slack.workspace
        workspace.now = self.now
        workspace.on_change.remove(self.slack.slack.events.on_change)  # events are told by the test
        self.trouble = StoreTrouble()
        self.replicas: list[Replica] = []
        self.effects = 0  # what reached the store or Slack
        self.prompts: list[tuple[float, list[Tag]]] = []  # when, and the tags in it
        self.wrong: list[str] = []
        self._seen = asyncio.Event()
        self._count = 0

    def now(self) -> float:
        """Epoch seconds."""
        return EPOCH + self.loop.time()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let time pass until this is done."""
        return self.loop.run_until_complete(work)

    def effect(self) -> None:
        """Something was done."""
        self.effects += 1
        self._seen.set()

    async def until_effects(self, more: int, at_most_s: float) -> None:
        """Stop the clock right when the store or Slack has done so many things more."""
        goal = self.effects + more
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                while self.effects < goal:
                    self._seen.clear()
                    await self._seen.wait()

    def start(self) -> "Replica":
        """One more replica."""
        self._count += 1
        replica = Replica(self, Process(f"replica-{self._count}", self.loop))
        self.replicas.append(replica)
        return replica

    def holder(self, channel_id: str, root: str) -> tuple[str, str]:
        """Who holds a thread's lease, and by which nonce."""
        query = "SELECT owner, nonce FROM leases WHERE thread = ?"
        found = self.database.connection.execute(query, (f"{channel_id}:{root}",)).fetchone()
        return (found[0], found[1]) if found else ("", "")

    def watched(self, transact: Callable[[], T]) -> T:
        """Do this work on the store, and note a turn that it begins before its time."""
        query = "SELECT id, thread, question_ts, open, json_extract(document, '$.attempts') FROM turns"
        before = {id_: attempts for id_, *_, attempts in self.database.connection.execute(query)}
        result = transact()
        after = self.database.connection.execute(query).fetchall()
        for id_, thread, asked_ts, _, attempts in after:
            older = [each[0] for each in after if each[1] == thread and each[2] < asked_ts and each[3]]
            if older and attempts > before.get(id_, attempts):
                self.wrong.append(f"{id_} was begun while {older} waited")
        return result

    def close(self) -> None:
        """End all that is left."""
        for replica in self.replicas:
            self.run(replica.process.clear_away())
        self.run(self.slack.slack.close())
        self.run(asyncio.sleep(1))
        self.database.close()
        self.loop.close()


class Replica:
    """One process of the bot."""

    def __init__(self, world: World, process: Process) -> None:
        self.world = world
        self.process = process
        self.worker: Worker
        self.intake: Intake
        world.run(self._in_process(self._build()))

    async def _in_process(self, work: Coroutine[Any, Any, T]) -> T:
        return await self.process.start(work)

    async def _build(self) -> None:
        world, loop, roster = self.world, self.world.loop, self.world.slack.slack.roster
        mirror = world.database.mirror(now=world.now, wire=self._store_wire)
        people = People()
        model = TaggedModel(lambda tags: world.prompts.append((loop.time(), tags)))
        chooser = Chooser([model.entry], model.entry.id, threads=mirror.threads, directory=people)
        calls = SlackCalls(_Client(self), Budget(None))
        replies = SlackReplies(
            calls, bot_user_id=world.slack.slack.roster.bot_user.id, rollover_chars=120, epoch=world.now
        )
        us = Identity(roster.team_id, roster.bot_user.id, roster.bot_id)
        archive = SlackArchive(calls, EventReader(us, name_of=lambda _: ""))
        answerer = Answerer(
            {model.entry.id: model},
            chooser,
            replies=replies,
            recall=Recall(mirror.threads, archive, people),
            style=Style("Be kind."),
            monotonic=loop.time,
            reference=lambda: "ref-1",
        )
        outages = Outages(mirror.turns, now=world.now)
        self.worker = Worker(
            mirror.turns,
            answerer,
            owner=self.process.name,
            lease_s=LEASE_S,
            max_turns=8,
            monotonic=loop.time,
            repair=Repair(mirror.turns, mirror.threads, archive, outages, Rules(), now=world.now),
        )
        self.notices: set[asyncio.Task[None]] = set()
        self.intake = Intake(
            mirror.turns,
            mirror.threads,
            self.worker,
            notice=partial(self._notice, replies),
            rules=Rules(),
            now=world.now,
            missed=outages.missed,
        )
        self.running = [asyncio.create_task(self.worker.run()), asyncio.create_task(outages.run(lambda: True))]

    async def _notice(self, replies: SlackReplies, turn: Turn, code: str, **facts: str) -> None:
        """Post it beside the rest, as the app does."""

        async def post() -> None:
            with suppress(SlackError):
                await replies.notice(turn, code, **facts)

        task = asyncio.create_task(post())
        self.notices.add(task)
        task.add_done_callback(self.notices.discard)

    def receive(
        self, event: Callable[[Intake], Coroutine[Any, Any, Outcome]], acked: Callable[[Outcome], None]
    ) -> None:
        """Hand an event over, as the middleware does; `acked` is called when Slack gets its ack."""

        async def accept() -> None:
            try:
                async with asyncio.timeout(ACCEPT_S):
                    outcome = await event(self.intake)
            except (StoreUnavailable, TimeoutError):
                self.intake.missed("")
                return
            if self.process.wired:
                acked(outcome)

        self.process.start(accept())

    def kill(self) -> None:
        """End it as `kill -9` does: nothing is released, what was sent was sent."""
        self.process.halted = True

    async def drain(self, grace_s: float) -> None:
        """End it as SIGTERM does."""

        async def end() -> None:
            await self.worker.drain(grace_s)
            for task in self.running:
                task.cancel()

        await self._in_process(end())

    async def _store_wire(self, transact: Callable[[], T], /) -> T:
        async def do() -> T:
            await asyncio.sleep(_THERE_S)
            trouble = self.world.trouble
            if self.world.loop.time() < trouble.down_until or not self.process.wired:
                raise StoreUnavailable("down")
            if trouble.fail > 0:
                trouble.fail -= 1
                raise StoreUnavailable("not done")
            try:
                result = self.world.watched(transact)
            finally:
                self.world.effect()
            await asyncio.sleep(_BACK_S)
            if trouble.lose_answer > 0:
                trouble.lose_answer -= 1
                raise StoreUnavailable("done, and nobody knows")
            return result

        return await beyond(do())

    async def slack_wire(self, method: str, args: JSON) -> JSON:
        """A call to Slack that leaves now."""
        if not self.process.wired:
            raise ConnectionResetError("cut off")
        self._watch(method, args)

        async def do() -> JSON:
            try:
                return await self.world.slack.request(method, args)
            finally:
                self.world.effect()
                await asyncio.sleep(_BACK_S)

        return await beyond(do())

    def _watch(self, method: str, args: JSON) -> None:
        """Note a write that leaves for a thread which another process holds by now."""
        channel = str(args.get("channel") or args.get("channel_id"))
        root = str(args.get("thread_ts") or "")
        metadata = args.get("metadata") or {}
        if not root and "ts" in args:
            message = self.world.slack.slack.workspace.timeline(channel).messages.get(args["ts"])
            root = message.root if message else ""
        notice = bool(metadata) and metadata.get("event_type") != TURN_EVENT
        if not root or notice or method.startswith("conversations."):
            return
        owner, _ = self.world.holder(channel, root)
        if owner != self.process.name:
            at = self.world.loop.time()
            self.world.wrong.append(
                f"{at:.3f}: {self.process.name} sent {method} to {root}, held by {owner or 'nobody'}"
            )


class _Client(AsyncWebClient):
    def __init__(self, replica: Replica) -> None:
        super().__init__("xoxb-playground", retry_handlers=[])
        self._replica = replica

    async def _request(self, *, http_verb: str, api_url: str, req_args: JSON) -> JSON:
        args = req_args.get("json") or req_args.get("params") or {}
        return await self._replica.slack_wire(api_url.rsplit("/", 1)[1], dict(args))
