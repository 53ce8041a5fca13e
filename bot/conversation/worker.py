"""Threads with something to do in, their turns answered one after another out: bounded, handed over, drained.

A wake-up cannot be lost. Accepting creates the turn and then tries for the lease; finishing gives the lease up and then
asks for waiting turns: whichever comes second sees the other. Who finds the lease held tries once more when it would
expire. The sweeper, one bounded query every half lease, is the last resort.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from bot.conversation.arrival import Deletion, Stop
from bot.conversation.hold import Hold
from bot.conversation.mirror import Busy, Signal, Taken, TurnStore
from bot.conversation.thread import ThreadKey
from bot.conversation.turn import MAX_ATTEMPTS
from bot.errors import LeaseLost, SlackError, SlackRejected, StoreError

log = logging.getLogger("tandem.worker")

_AGAIN_AFTER_TROUBLE_S = 2.0
_MOST_ATTEMPTS = 30  # at telling Slack what it does not take: minutes
_HAND_OVER_S = 5.0  # for giving a thread back: whoever cannot in time is taken over when its lease ends
_SIGNALS_EVERY_S = 1.0  # a stop that reaches another replica ends the model's request within 2 s
_SWEEP_LIMIT = 50


class Answers(Protocol):
    """Who answers a taken turn (see answer.py)."""

    async def answer(self, hold: Hold) -> None:
        """See the turn to its end."""
        ...


class Repair(Protocol):
    """Who makes a thread whole before its turn is answered (see repair.py)."""

    async def __call__(self, hold: Hold) -> bool:
        """Whether an older question was found: it comes first."""
        ...


class Worker:
    """This process's share of the work. One task a thread; at most `max_turns` threads at once."""

    def __init__(
        self,
        turns: TurnStore,
        answers: Answers,
        *,
        owner: str,
        lease_s: float,
        max_turns: int,
        monotonic: Callable[[], float],
        repair: Repair | None = None,
    ) -> None:
        self.owner = owner
        self._turns = turns
        self._answers = answers
        self._lease_s = lease_s
        self._monotonic = monotonic
        self._repair = repair
        self._slots = asyncio.Semaphore(max_turns)
        self._tasks: dict[ThreadKey, asyncio.Task[None]] = {}
        self._woken: set[ThreadKey] = set()
        self._later: dict[ThreadKey, asyncio.TimerHandle] = {}
        self._holds: dict[ThreadKey, Hold] = {}
        self._draining = asyncio.Event()

    @property
    def running(self) -> int:
        """How many turns are being answered now."""
        return len(self._holds)

    @property
    def busy(self) -> bool:
        """Whether this process works in any thread, or waits to."""
        return bool(self._tasks)

    def wake(self, thread: ThreadKey) -> None:
        """See to it that the thread's open turns are answered, by this process or by who holds the thread."""
        if self._draining.is_set():
            return
        if thread in self._tasks:
            self._woken.add(thread)
            return
        task = asyncio.create_task(self._serve(thread), name=f"thread {thread}")
        self._tasks[thread] = task
        task.add_done_callback(lambda done: self._served(thread, done))

    def interrupt(self, by: Stop | Deletion) -> bool:
        """End the turn that this process answers in that thread, at once; whether `by` concerns it."""
        hold = self._holds.get(by.thread)
        if hold is None or not _concerns(by, hold):
            return False
        if not hold.stopped.done():
            hold.stopped.set_result(by)
        return True

    def threads_in(self, channel_id: str) -> list[ThreadKey]:
        """The channel's threads that this process works in."""
        return [thread for thread in self._holds if thread.channel_id == channel_id]

    async def run(self) -> None:
        """Sweep and listen for signals until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep())
            group.create_task(self._listen())

    async def drain(self, grace_s: float) -> None:
        """Begin nothing new, let what runs finish within the grace period, and give the rest to the others."""
        self._draining.set()
        for timer in self._later.values():
            timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace_s)
        unfinished = list(self._tasks.values())
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished, timeout=_HAND_OVER_S)

    async def _serve(self, thread: ThreadKey) -> None:
        """The thread's open turns, oldest first, until there is none or another process has it."""
        while not self._draining.is_set():
            self._woken.discard(thread)
            async with self._slots:
                if self._draining.is_set():
                    return
                asked_at = self._monotonic()
                taken = await self._turns.take(thread, self.owner, self._lease_s)
                if isinstance(taken, Taken) and not await self._answer(taken, asked_at):
                    return
            if isinstance(taken, Busy):
                self._wake_later(thread, taken.for_s)
                return
            if taken is None and thread not in self._woken:
                return

    def _served(self, thread: ThreadKey, task: asyncio.Task[None]) -> None:
        self._tasks.pop(thread, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            level = logging.WARNING if isinstance(error, StoreError) else logging.ERROR
            log.log(level, "thread left for later", extra={"thread_key": str(thread)}, exc_info=error)
            self._wake_later(thread, _AGAIN_AFTER_TROUBLE_S)
        elif thread in self._woken:
            self._woken.discard(thread)
            self.wake(thread)

    def _wake_later(self, thread: ThreadKey, delay_s: float) -> None:
        if self._draining.is_set() or thread in self._later:
            return

        def wake() -> None:
            self._later.pop(thread, None)
            self.wake(thread)

        self._later[thread] = asyncio.get_running_loop().call_later(delay_s + 0.05, wake)

    async def _answer(self, taken: Taken, asked_at: float) -> bool:
        """Whether the thread's next turn may follow; not while Slack is in trouble with this one."""
        hold = Hold(self._turns, taken, self._lease_s, self._monotonic, asked_at=asked_at)
        thread = hold.turn.thread
        self._holds[thread] = hold
        heartbeat = asyncio.create_task(hold.beat(), name=f"heartbeat {hold.turn.id}")
        try:
            await self._hear_for(taken.former_owner)
            if self._repair is not None and await self._repair(hold):
                await hold.release(unspent=True)
            else:
                await self._answers.answer(hold)
        except LeaseLost:
            log.warning("turn taken over by another process", extra={"turn": hold.turn.id})
        except SlackRejected as error:
            log.error("turn cannot be shown", extra={"turn": hold.turn.id, "code": error.slack_code})
            await hold.close("failed")
        except SlackError as error:
            if hold.turn.attempts >= _MOST_ATTEMPTS:  # an answer is in the mirror; its thread must go on
                log.error("turn given up: Slack takes nothing of it", extra={"turn": hold.turn.id, "code": error.code})
                await hold.close(hold.turn.ending or "failed")
                return True
            log.warning("turn left for later", extra={"turn": hold.turn.id, "code": error.code})
            await hold.release()
            self._wake_later(thread, _AGAIN_AFTER_TROUBLE_S)
            return False
        except asyncio.CancelledError:
            await hold.release(unspent=True)
            raise
        except StoreError:
            raise
        except Exception:  # a bug where no sentence can be shown: it must not block the thread for ever
            log.exception("turn broken", extra={"turn": hold.turn.id, "attempts": hold.turn.attempts})
            if hold.turn.attempts > MAX_ATTEMPTS:
                await hold.close("dead")
            else:
                await hold.release()
            self._wake_later(thread, _AGAIN_AFTER_TROUBLE_S)
            return False
        finally:
            heartbeat.cancel()
            await asyncio.gather(heartbeat, return_exceptions=True)
            del self._holds[thread]
        return True

    async def _hear_for(self, dead: str) -> None:
        """What a process was told that died before it could obey."""
        for signal in await self._turns.signals(dead, keep=True) if dead else ():
            self.interrupt(_interruption(signal))

    async def _sweep(self) -> None:
        """Find turns that nobody works on: their process died, or a wake-up's take failed."""
        while True:
            await asyncio.sleep(self._lease_s / 2 * random.uniform(0.8, 1.2))  # noqa: S311 - spreads replicas, no secret
            with _going_on("sweep"):
                for thread in await self._turns.overdue(self._lease_s, _SWEEP_LIMIT):
                    self.wake(thread)

    async def _listen(self) -> None:
        """Words from other replicas about the turns that run here."""
        while True:
            await asyncio.sleep(_SIGNALS_EVERY_S)
            if not self._holds:
                continue
            with _going_on("signals"):
                for signal in await self._turns.signals(self.owner):
                    self.interrupt(_interruption(signal))


@contextmanager
def _going_on(what: str) -> Iterator[None]:
    """Whatever goes wrong in one round, the next one comes: without them turns would be lost, and nobody would know."""
    try:
        yield
    except StoreError as error:
        log.warning(f"{what} failed", extra={"code": error.code})
    except Exception:
        log.exception(f"{what} failed")


def _concerns(by: Stop | Deletion, hold: Hold) -> bool:
    """A stop means older questions; a deletion means this very question, or the answer that is growing to it."""
    turn = hold.turn
    if isinstance(by, Stop):
        return turn.asked_ts < by.ts
    return by.ts == turn.question_ts or by.ts in {part.ts for part in turn.parts}


def _interruption(signal: Signal) -> Stop | Deletion:
    if signal.kind == "stop":
        return Stop(signal.thread, signal.ts, signal.user_id)
    return Deletion(signal.thread, signal.ts, signal.user_id)
