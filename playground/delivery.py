"""Payloads for the app in, attempts to deliver them out: over an open socket, else by signed HTTP, with redelivery."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from playground.trouble import Timing, Trouble

JSON = dict[str, Any]
Kind = Literal["events_api", "slash_commands", "interactive"]

KEPT = 20_000  # deliveries remembered for tests and the Wire view


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended: acknowledged or not, why not, and what the app answered with the ack."""

    acked: bool
    reason: str = ""
    answer: JSON | None = None
    no_retry: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Delivery:
    """One payload on its way to the app."""

    n: int
    at: float
    kind: Kind
    payload: JSON
    attempts: list[JSON] = field(default_factory=list)
    acked: bool = False
    lost: bool = False
    """All attempts failed."""

    def as_json(self) -> JSON:
        names = ("n", "at", "kind", "payload", "attempts", "acked", "lost")
        return {name: getattr(self, name) for name in names}


class Transport(Protocol):
    """A way to the app."""

    name: str

    @property
    def is_open(self) -> bool:
        """Whether there is anyone to send to right now."""

    async def attempt(self, kind: Kind, payload: JSON, *, retry: int, reason: str) -> Outcome:
        """Send once and wait for the ack, at most as long as Slack waits."""


class Deliveries:
    """Everything sent to the app. The first transport that is open is taken."""

    def __init__(self, transports: list[Transport], timing: Timing, trouble: Trouble) -> None:
        self._transports = transports
        self._timing = timing
        self._trouble = trouble
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._count = 0
        self._set_out = asyncio.Event()
        """Set, and renewed, whenever an event sets out: what one waits for that is to be overtaken."""
        self._held = False
        self.log: deque[Delivery] = deque(maxlen=KEPT)
        self.on_delivery: list[Callable[[Delivery], None]] = []
        """Told when a payload sets out, and after each attempt."""

    def send_event(self, payload: JSON) -> Delivery:
        """Send an event in the background, again while nobody acknowledges it."""
        delivery = self._note("events_api", payload)
        self._spawn(self._send_event(delivery))
        if self._happens(self._trouble.events.duplicate):
            self._spawn(self._send_event(self._note("events_api", payload)))
        return delivery

    async def ask(self, kind: Kind, payload: JSON) -> Outcome:
        """Send a command or interaction once and wait for the app's ack."""
        delivery = self._note(kind, payload)
        outcome = await self._attempt(delivery, 0, "")
        self._end(delivery, outcome)
        return outcome

    async def close(self) -> None:
        """Give up what is still on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self) -> None:
        """Give up what is still on its way, and clear the log."""
        for task in self._tasks:
            task.cancel()
        self.log.clear()

    async def _send_event(self, delivery: Delivery) -> Outcome:
        trouble = self._trouble.events
        if trouble.delay_s:
            await asyncio.sleep(self._trouble.chance.random() * trouble.delay_s)
        if not self._held and self._happens(trouble.reorder):
            await self._be_overtaken()
        self._set_out.set()
        self._set_out = asyncio.Event()
        if self._happens(trouble.lose):
            outcome = self._noted(delivery, "none", Outcome(False, "timeout"), time.monotonic())
        else:
            outcome = await self._attempt(delivery, 0, "")
        for retry, delay_s in enumerate(self._timing.retry_delays_s, start=1):
            if outcome.acked or outcome.no_retry:
                break
            await asyncio.sleep(delay_s)
            outcome = await self._attempt(delivery, retry, outcome.reason)
        self._end(delivery, outcome)
        return outcome

    def _happens(self, share: float) -> bool:
        return bool(share) and self._trouble.chance.random() < share

    async def _be_overtaken(self) -> None:
        """Wait until a later event has set out; not for ever, for there may be none."""
        self._held = True
        try:
            async with asyncio.timeout(self._trouble.events.reorder_s):
                await self._set_out.wait()
        except TimeoutError:
            return
        finally:
            self._held = False
        await asyncio.sleep(0)  # the other one goes first

    def _end(self, delivery: Delivery, outcome: Outcome) -> None:
        delivery.lost = not outcome.acked
        if delivery.lost:
            self._tell(delivery)

    async def _attempt(self, delivery: Delivery, retry: int, reason: str) -> Outcome:
        started = time.monotonic()
        transport = next((t for t in self._transports if t.is_open), None)
        if transport is None:
            return self._noted(delivery, "none", Outcome(False, "connection_failed"), started)
        outcome = await transport.attempt(delivery.kind, delivery.payload, retry=retry, reason=reason)
        return self._noted(delivery, transport.name, outcome, started)

    def _noted(self, delivery: Delivery, transport: str, outcome: Outcome, started: float) -> Outcome:
        delivery.acked = delivery.acked or outcome.acked
        delivery.attempts.append(
            {
                "at": time.time(),
                "transport": transport,
                "acked": outcome.acked,
                "reason": outcome.reason,
                "answer": outcome.answer,
                "duration_ms": round((time.monotonic() - started) * 1000, 3),
            }
        )
        self._tell(delivery)
        return outcome

    def _note(self, kind: Kind, payload: JSON) -> Delivery:
        self._count += 1
        delivery = Delivery(n=self._count, at=time.time(), kind=kind, payload=payload)
        self.log.append(delivery)
        self._tell(delivery)
        return delivery

    def _tell(self, delivery: Delivery) -> None:
        for listener in self.on_delivery:
            listener(delivery)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
