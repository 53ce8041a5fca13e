"""What arrives from Slack in, stored before anybody is told that it was received; what became of it out.

Everything here runs before the event is acknowledged. It raises StoreError where the store cannot take what arrived:
then the event must not be acknowledged, and Slack delivers it again.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from bot.conversation.arrival import Arrival, Deletion, Edit, Outcome, Stop
from bot.conversation.asking import asked, seconds
from bot.conversation.mirror import Signal, ThreadStore, TurnStore
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.triage import Rules, follow_up, is_addressed, triage
from bot.conversation.turn import Turn, TurnState, turn_id
from bot.conversation.words import control_word
from bot.conversation.worker import Worker
from bot.errors import StoreError

log = logging.getLogger("tandem.intake")

_YOUNG_ROOT_S = 120.0  # events come out of order: the mention that makes a thread ours may still be on its way
_HELD_S = 600.0
_HELD_MOST = 1000
_LOOK_AGAIN_AFTER_S = (2.0, 60.0, 300.0)  # each after the one before; the mention may come late, and elsewhere
_REDELIVERED_S = 3600.0  # a message may come after its deletion for so long, because its first delivery failed


class Notice(Protocol):
    """A short sentence in a turn's thread; returns at once and never raises."""

    async def __call__(self, turn: Turn, code: str, **facts: str) -> None:
        """See `Replies.notice`."""
        ...


class Intake:
    """The door of the core. `missed` is told the ts of a message that could not be stored."""

    def __init__(
        self,
        turns: TurnStore,
        threads: ThreadStore,
        worker: Worker,
        *,
        notice: Notice,
        rules: Rules,
        now: Callable[[], float],
        missed: Callable[[str], None] = lambda ts: None,
    ) -> None:
        self._turns = turns
        self._threads = threads
        self._worker = worker
        self._notice = notice
        self._rules = rules
        self._now = now
        self.missed = missed
        self._looking: set[asyncio.Task[None]] = set()
        self._held: OrderedDict[tuple[ThreadKey, str], tuple[float, Arrival]] = OrderedDict()

    async def message(self, arrival: Arrival) -> Outcome:
        """A message, by any of the events that announce it."""
        first = triage(arrival, self._rules)
        if first.verdict == "ignore":
            return Outcome("ignored", first.reason)
        if first.verdict == "reply":
            left = await self._leave(arrival)
            if left is not None:
                return left
            first = follow_up(arrival, self._rules)
        word = control_word(arrival.message.text, addressed=is_addressed(arrival))
        if word is not None and word.kind == "stop":
            message = arrival.message
            whole_dm = arrival.place == "dm" and arrival.is_root
            outcome = await self.stop(Stop(message.thread, message.ts, message.user_id, whole_dm))
            if is_addressed(arrival):  # a turn of its own: said to have found nothing, once, or closed already
                await self._accept(arrival, "stopped" if outcome.stopped else "waiting")
            else:
                await self._threads.record(arrival.message)
            return outcome
        if first.verdict == "ignore" and word is None:  # `!model x` is meant for us, whoever answers follow-ups
            await self._threads.record(arrival.message)
            return Outcome("mirrored", first.reason)
        return await self._accept(arrival)

    async def edited(self, edit: Edit) -> Outcome:
        """A message's new text; the next prompt has it, also where the message itself, said to us, comes later."""
        if edit.by_us:
            return Outcome("ignored", "ourselves")
        if await self._threads.thread(edit.thread) is None:
            self._edit_held(edit)
            if not edit.addressed:
                return Outcome("ignored", "not_our_thread")
        await self._threads.edit(edit.thread, edit.ts, edit.text, edit.edited_ts)
        return Outcome("mirrored", "edit")

    async def deleted(self, deletion: Deletion) -> Outcome:
        """A message is gone: from the mirror too, and the answer that is being given to it ends."""
        self._held.pop((deletion.thread, deletion.ts), None)
        is_old = self._now() - seconds(deletion.ts) > _REDELIVERED_S
        if is_old and await self._threads.thread(deletion.thread) is None:
            return Outcome("ignored", "not_our_thread")
        here = self._worker.interrupt(deletion)
        await self._threads.delete(deletion.thread, deletion.ts)
        for turn in [] if here else await self._turns.open_turns(deletion.thread):
            concerned = turn.question_ts == deletion.ts or deletion.ts in {part.ts for part in turn.parts}
            if concerned and not await self._withdraw(turn):
                await self._tell_owner(turn, Signal("delete", deletion.thread, deletion.ts, deletion.user_id))
        return Outcome("mirrored", "deletion")

    async def stop(self, stop: Stop) -> Outcome:
        """End the running turn and the earlier waiting ones of a thread, or of all threads of a DM."""
        channel_id = stop.thread.channel_id
        here = self._worker.threads_in(channel_id) if stop.whole_dm else [stop.thread]
        stopped = {thread for thread in here if self._worker.interrupt(replace(stop, thread=thread))}
        told, withdrawn = 0, []
        for thread in await self._turns.open_threads(channel_id) if stop.whole_dm else [stop.thread]:
            for turn in await self._turns.open_turns(thread):
                if turn.asked_ts >= stop.ts:
                    continue
                if await self._withdraw(turn):
                    withdrawn.append(turn)
                elif self._worker.interrupt(replace(stop, thread=thread)):  # also one that was begun meanwhile
                    stopped.add(thread)
                else:
                    told += await self._tell_owner(turn, Signal("stop", thread, stop.ts, stop.user_id))
        if withdrawn:
            await self._notice(withdrawn[-1], "questions_withdrawn", count=str(len(withdrawn)))
        count = len(stopped) + told + len(withdrawn)
        return Outcome("stopped", "" if count else "nothing_to_stop", stopped=count)

    async def again(self, question_turn_id: str, retry: int, user_id: str) -> Outcome:
        """The retry button: a turn of its own for the same question; pressing it twice is one turn."""
        first = await self._turns.turn(question_turn_id)
        if first is None or await self._threads.thread(first.thread) is None:
            return Outcome("ignored", "vanished_thread")
        question = await self._threads.message(first.thread, first.question_ts)
        if question is None:
            return Outcome("ignored", "vanished_thread")
        turn = replace(
            _fresh(first, now=self._now()),
            id=turn_id(first.thread.channel_id, first.question_ts, retry),
            asker_id=user_id,
        )
        return await self._open(turn, question, client_msg_id="")

    async def _accept(self, arrival: Arrival, state: TurnState = "waiting") -> Outcome:
        turn, question = asked(arrival, now=self._now(), state=state)
        outcome = await self._open(turn, question, client_msg_id=arrival.client_msg_id)
        await self._take_held(turn.thread)
        return outcome

    async def _open(self, turn: Turn, question: Message, *, client_msg_id: str) -> Outcome:
        acceptance = await self._turns.accept(turn, question, client_msg_id=client_msg_id)
        if acceptance == "deleted":
            return Outcome("ignored", "deleted")
        self._worker.wake(turn.thread)  # also for a copy: the first delivery's process may be gone
        return Outcome("accepted", acceptance, turn.id)

    async def _withdraw(self, turn: Turn) -> bool:
        """Close a turn that nobody has begun; False if somebody has."""
        ts = f"{turn.question_ts}a"
        closing = Message(turn.thread, ts, "model", "", turn_id=turn.id, question_ts=turn.question_ts)
        return turn.state == "waiting" and await self._turns.withdraw(turn.id, "stopped", closing)

    async def _tell_owner(self, turn: Turn, signal: Signal) -> bool:
        """Leave word for the process that answers this turn, which this one may yet be; whether there is one."""
        owner = await self._turns.holder(turn.thread)
        if owner is None:
            return False
        await self._turns.signal(owner, signal)
        return True

    async def _leave(self, arrival: Arrival) -> Outcome | None:
        """What becomes of a reply in a thread that was not ours when it was said; None where the thread was. One read.

        A reply to a young root is kept before the store is asked: either whoever makes the thread ours finds it kept,
        or the thread is found here.
        """
        message = arrival.message
        kept = self._hold(arrival)
        thread = await self._threads.thread(message.thread)
        if thread is None or message.ts < thread.since_ts:
            return Outcome("held", "thread_unknown_yet") if kept else Outcome("ignored", "not_our_thread")
        if kept and self._held.pop((message.thread, message.ts), None) is None:
            return Outcome("held", "thread_unknown_yet")
        return None

    def _hold(self, arrival: Arrival) -> bool:
        """Keep a reply for a while whose thread may be about to become ours; in this process's memory only."""
        now = self._now()
        while self._held and (len(self._held) > _HELD_MOST or next(iter(self._held.values()))[0] < now - _HELD_S):
            self._held.popitem(last=False)
        if now - seconds(arrival.message.thread.thread_ts) > _YOUNG_ROOT_S:
            return False
        if (arrival.message.thread, arrival.message.ts) not in self._held:
            self._look_again(arrival, *_LOOK_AGAIN_AFTER_S)
        self._held[arrival.message.thread, arrival.message.ts] = (now, arrival)
        return True

    def _look_again(self, arrival: Arrival, after_s: float, *later_s: float) -> None:
        """Another process may have made the thread ours: nobody tells this one."""
        key = (arrival.message.thread, arrival.message.ts)

        async def look() -> None:
            try:
                if key in self._held:
                    await self._take_held(key[0])
            except StoreError as error:
                log.warning("held reply left for later", extra={"thread_key": str(key[0]), "code": error.code})
            if key in self._held and later_s:
                self._look_again(arrival, *later_s)

        def start() -> None:
            task = asyncio.create_task(look(), name=f"held {key[1]}")
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

        asyncio.get_running_loop().call_later(after_s, start)

    async def _take_held(self, thread_key: ThreadKey) -> None:
        keys = sorted(key for key in self._held if key[0] == thread_key)
        thread = await self._threads.thread(thread_key) if keys else None
        if thread is None:
            return
        for key in keys:
            held = self._held.pop(key, None) if key[1] >= thread.since_ts else None
            if held is None:
                continue
            try:
                await self.message(held[1])
            except BaseException:
                self._held[key] = held  # the question's event is not acknowledged now: it comes again
                raise

    def _edit_held(self, edit: Edit) -> None:
        held = self._held.get((edit.thread, edit.ts))
        if held is not None:
            kept_at, arrival = held
            message = replace(arrival.message, text=edit.text, edited_ts=edit.edited_ts)
            self._held[edit.thread, edit.ts] = (kept_at, replace(arrival, message=message))


def _fresh(turn: Turn, *, now: float) -> Turn:
    """The same question, not yet begun."""
    return Turn(
        id=turn.id,
        thread=turn.thread,
        question_ts=turn.question_ts,
        team_id=turn.team_id,
        asker_id=turn.asker_id,
        asker_team_id=turn.asker_team_id,
        place=turn.place,
        asked_at=now,
    )
