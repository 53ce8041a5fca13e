"""A plan in, the history of what came of it out: three bots, a bad day at Slack's, and processes that die."""

import asyncio
import random
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from google.cloud.firestore import FieldFilter

from bot.conversation.thread import ThreadKey
from bot.store import Mirror
from bot.store.address import FirestoreAddress, parse_address
from bot.store.firestore import FirestoreDatabase, open_database
from bot.store.lifetimes import Lifetimes
from tests.chaos.chatterbox import Chatterbox
from tests.chaos.fleet import Fleet
from tests.chaos.history import JSON, History, Loss, Question, Stored, Thread
from tests.chaos.plan import Ask, Breakage, Plan, PlannedThread
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.tandem import Tandem

BOTS = 3
TROUBLE: JSON = {
    "events": {"duplicate": 0.3, "reorder": 0.1},
    "timing": {"retry_delays_s": [0, 10, 45]},  # Slack's minutes, compressed as the outage is
    "fail": [
        {"method": "*", "kind": "error", "error": "ratelimited", "retry_after": 1, "share": 0.1, "times": 1 << 30},
        {"method": "chat.postMessage", "kind": "drop", "effect": True, "share": 0.05, "times": 1 << 30},
        {"method": "chat.startStream", "kind": "drop", "effect": True, "share": 0.05, "times": 1 << 30},
    ],
}
CALM: JSON = {"events": {"duplicate": 0, "reorder": 0}, "fail": []}
PATIENCE_S = 150.0  # after the last question, for everything to settle
LOOK_S = 2.0


@dataclass(slots=True)
class Chaos:
    """A run under way."""

    fleet: Fleet
    emulator: FirestoreEmulator
    model: Chatterbox
    plan: Plan
    lease_s: float
    outage_s: float
    mirror: Mirror
    database: FirestoreDatabase
    asked: list[tuple[str, Thread, str]] = field(default_factory=list)  # token, thread, ts
    calls: list[JSON] = field(default_factory=list)
    acked: dict[tuple[str, str], float] = field(default_factory=dict)  # channel, ts -> when
    losses: list[Loss] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    events: dict[int, str] = field(default_factory=dict)  # number of the delivery -> event_id
    _delivered: int = 0
    _accepted: set[tuple[str, str]] = field(default_factory=set)

    async def run(self) -> History:
        """All of it; the history of what can be known afterwards."""
        chance = random.Random(f"victims {self.plan.seed}")
        await asyncio.gather(*(self.fleet.start() for _ in range(BOTS)))
        await self.fleet.workspace.trouble(seed=self.plan.seed, **TROUBLE)
        started = time.monotonic()
        reading = asyncio.create_task(self._read_along())
        try:
            async with asyncio.TaskGroup() as group:
                for thread in self.plan.threads:
                    group.create_task(self._ask(thread))
                group.create_task(self._break(started, chance))
            await self.fleet.workspace.trouble(**CALM)
            await self._settle()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await self._read()
        return await self._history()

    @property
    def mischief(self) -> dict[str, int]:
        """What was done to the bots, in numbers."""
        return {
            "events delivered": len(self.events),
            "of these twice": len(self.events) - len(set(self.events.values())),
            "calls of Slack": len(self.calls),
            "of these limited": sum(call["error"] == "ratelimited" for call in self.calls),
            "of unknown outcome": sum(call["status"] == 0 for call in self.calls),
            "model streams": len(self.model.said),
            "of these cut": self.model.cuts,
        }

    async def _ask(self, thread: PlannedThread) -> None:
        root = ""
        for ask in thread.asks:
            await asyncio.sleep(ask.after_s)
            ts = await self.fleet.workspace.say(thread.user, thread.channel, _words(ask), root or None)
            root = root or ts
            self.asked.append((ask.token, (thread.channel, root), ts))

    async def _break(self, started: float, chance: random.Random) -> None:
        for at_s, kind in self.plan.breakages:
            await asyncio.sleep(max(0.0, at_s - (time.monotonic() - started)))
            say(f"{time.monotonic() - started:6.1f} s  {kind}")
            await self._break_one(kind, chance)

    async def _break_one(self, kind: Breakage, chance: random.Random) -> None:
        victim = chance.choice(self.fleet.bots)
        match kind:
            case "kill":
                await self._lose(kind, victim)
                await self.fleet.kill(victim)
                await asyncio.sleep(chance.uniform(0, 3))
                await self.fleet.start()
            case "freeze":
                await self._lose(kind, victim)
                await self.fleet.freeze(victim, 2 * self.lease_s + 2)
            case "rolling restart":
                for bot in list(self.fleet.bots):
                    await self.fleet.start()
                    self.exits.append(await self.fleet.end(bot))
            case "store outage":
                began = time.time()
                with self.emulator.frozen():
                    await asyncio.sleep(self.outage_s)
                self.outages.append((began, time.time()))
            case "mute socket":
                await self.fleet.workspace.disconnect("mute")

    async def _lose(self, kind: str, victim: Tandem) -> None:
        """Note what the victim works on now: the leases that it holds."""
        owner = f"{socket.gethostname()}-{victim.process.pid}-"
        query = (
            self.database.client.collection("leases")
            .where(filter=FieldFilter("owner", ">=", owner))
            .where(filter=FieldFilter("owner", "<", owner + "~"))
        )
        held = await query.get(timeout=10)
        self.losses.append(Loss(kind=kind, at=time.time(), turns=tuple(lease.get("turn") for lease in held)))

    async def _settle(self) -> None:
        """Wait until every question's turn is over, and long enough after it for a double to show."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while not await self._is_over():
                    await asyncio.sleep(LOOK_S)
        await asyncio.sleep(2 * self.lease_s + LOOK_S)

    async def _is_over(self) -> bool:
        """Whether no turn is open, and each question that was delivered has become one."""
        turns = self.database.client.collection("turns")
        if await turns.where(filter=FieldFilter("open", "==", True)).limit(1).get(timeout=10):
            return False
        asked = {(thread[0], ts) for _, thread, ts in self.asked}
        delivered = asked & self.acked.keys()
        for channel_id, ts in delivered:
            if (channel_id, ts) not in self._accepted:
                if await self.mirror.turns.turn(f"{channel_id}:{ts}") is None:
                    return False
                self._accepted.add((channel_id, ts))
        return delivered == asked

    async def _read_along(self) -> None:
        """The playground's record is bounded: read it while it grows."""
        while True:
            await asyncio.sleep(10)
            await self._read()

    async def _read(self) -> None:
        workspace = self.fleet.workspace
        self.calls += await workspace.calls(since=self.calls[-1]["n"] if self.calls else 0)
        deliveries = await workspace.deliveries(since=self._delivered)
        for delivery in deliveries:
            event = delivery["payload"].get("event") or {}
            self.events[delivery["n"]] = delivery["payload"].get("event_id", "")
            first = next((attempt["at"] for attempt in delivery["attempts"] if attempt["acked"]), None)
            key = (str(event.get("channel")), str(event.get("ts")))
            if first is not None and event.get("type") in ("message", "app_mention") and not event.get("subtype"):
                self.acked[key] = min(first, self.acked.get(key, first))
        under_way = [each["n"] for each in deliveries if not (each["acked"] or each["lost"])]
        self._delivered = min(under_way, default=max((each["n"] for each in deliveries), default=1) + 1) - 1

    async def _history(self) -> History:
        threads = sorted({thread for _, thread, _ in self.asked})
        found = await asyncio.gather(*(self._stored(thread, ts) for _, thread, ts in self.asked))
        messages = {thread: await self._said_by_us(thread) for thread in threads}
        turns = {f"{thread[0]}:{ts}": turn for (_, thread, ts), turn in zip(self.asked, found, strict=True) if turn}
        return History(
            questions=[
                Question(token=token, thread=thread, ts=ts, acked_at=self.acked.get((thread[0], ts)))
                for token, thread, ts in self.asked
            ],
            said=self.model.said,
            messages=messages,
            calls=self.calls,
            turns=turns,
            closed=_closed(self.fleet),
            busy=[thread for thread in threads if await self._is_busy(thread)],
            losses=self.losses,
            outages=self.outages,
            exits=self.exits,
        )

    async def _stored(self, thread: Thread, ts: str) -> Stored | None:
        turn = await self.mirror.turns.turn(f"{thread[0]}:{ts}")
        if turn is None:
            return None
        at = turn.parts[0].ts if turn.parts else f"{ts}a"
        answer = await self.mirror.threads.message(ThreadKey(*thread), at)
        return Stored(state=turn.state, accepted_at=turn.asked_at, answer=answer.text if answer else "")

    async def _said_by_us(self, thread: Thread) -> Sequence[JSON]:
        messages = await self.fleet.workspace.messages(*thread)
        return [message for message in messages if message.get("bot_id")]

    async def _is_busy(self, thread: Thread) -> bool:
        status = await self.fleet.workspace.status(*thread)
        streaming = any(message["_"]["streaming"] for message in await self._said_by_us(thread))
        return streaming or status["status"] == "processing" or bool(status["text"])


def say(line: str) -> None:
    """Tell whoever watches."""
    print(line, flush=True)


async def connect(fleet: Fleet) -> tuple[Mirror, FirestoreDatabase]:
    """The store, as the bots see it and as it is."""
    address = parse_address(fleet.settings["TANDEM_STORE"])
    assert isinstance(address, FirestoreAddress)
    host = fleet.settings["FIRESTORE_EMULATOR_HOST"]
    database = await open_database(address, Lifetimes(90), emulator_host=host, now=time.time)
    return await fleet.mirror(), database


def _words(ask: Ask) -> str:
    return f"@Tandem {ask.token} please" if ask.mentions else f"{ask.token} please"


def _closed(fleet: Fleet) -> list[str]:
    """A turn's id for each time that a process says that it has ended it."""
    return [str(line["turn"]) for line in fleet.log if line.get("message") == "turn ended"]
