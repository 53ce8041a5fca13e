"""A taken turn in, its thread made whole out: what Slack has and the mirror lacks is added, corrected or taken away.

Only where something may be missing: after an outage, and where the message that made the thread ours came late, so that
a reply to it may have come before it and been lost with the process that kept it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.conversation.arrival import Arrival
from bot.conversation.asking import asked, seconds
from bot.conversation.hold import Hold
from bot.conversation.mirror import ThreadStore, TurnStore
from bot.conversation.outages import Outages
from bot.conversation.ports import Archive
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.triage import Rules, follow_up, is_addressed, triage
from bot.conversation.turn import MAX_ATTEMPTS, TurnState, retry_number
from bot.conversation.words import control_word
from bot.errors import SlackError

log = logging.getLogger("tandem.repair")

_LATE_S = 1.0  # events come sooner: nobody has replied by then
_READ_S = 10.0  # the asker waits so long at most
_TOO_OLD_S = 900.0  # who asked so long ago is told, not answered
_SETTLED_S = 60.0  # younger messages may not be in Slack's list yet
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Repair:
    """Compares a thread with Slack's own record of it."""

    turns: TurnStore
    threads: ThreadStore
    archive: Archive
    outages: Outages
    rules: Rules
    now: Callable[[], float]

    async def __call__(self, hold: Hold) -> bool:
        """Whether a question was found that is older than the held one: it comes first.

        Slack's refusal costs nothing but time: the thread's next turn tries again.
        """
        key = hold.thread.key
        try:
            if hold.turn.place == "dm":
                await self._add_threads(hold)
            since = self._doubtful_since(hold)
            if since is None:
                return False
            since_ts, read_at = f"{since:.6f}", self.now()
            async with asyncio.timeout(_READ_S):
                said = await self.archive.since(hold.thread, since_ts)
        except (SlackError, TimeoutError) as error:
            log.warning("not compared", extra={"thread_key": str(key), "why": str(error) or "too slow"})
            return False
        known = {message.ts: message for message in await self.threads.messages(key, since_ts=since_ts, limit=_MOST)}
        await self._correct(hold, known, said, settled_at=read_at - _SETTLED_S)
        found = await self._add(hold, known, [arrival for arrival in said.values() if arrival])
        if hold.turn.question_ts in said:
            self.outages.compared(key)
        log.info("compared", extra={"thread_key": str(key), "messages": len(said), "found": len(found)})
        return any(ts < hold.turn.question_ts for ts in found)

    def _doubtful_since(self, hold: Hold) -> float | None:
        """From when on the mirror may lack messages."""
        turn, asked_at = hold.turn, seconds(hold.turn.question_ts)
        if turn.state != "running" or turn.attempts >= MAX_ATTEMPTS:  # it goes on, and the next turn compares
            return None
        begins = turn.question_ts == turn.thread.thread_ts or not hold.thread.backfilled
        came_late = begins and not retry_number(turn.id) and turn.asked_at - asked_at > _LATE_S
        since = self.outages.doubtful_since(turn.thread)
        doubtful = [each for each in (since, asked_at if came_late else None) if each is not None]
        return min(doubtful) if doubtful else None

    async def _add_threads(self, hold: Hold) -> None:
        """Questions that began other threads of a DM: nobody would ever hear of those. The sweeper finds the turns."""
        whole_dm = ThreadKey(hold.thread.key.channel_id, "")
        since = self.outages.doubtful_since(whole_dm)
        if since is None:
            return
        async with asyncio.timeout(_READ_S):
            began = await self.archive.roots(hold.thread, f"{since:.6f}")
        for arrival in began.values():
            if arrival and arrival.is_root and self._concerns_us(arrival):
                is_old = self.now() - seconds(arrival.message.ts) > _TOO_OLD_S
                missed = (arrival.message.ts,) if is_old else ()
                await self._accept(arrival, missed, "stopped" if _is_stop(arrival) else "waiting")
        self.outages.compared(whole_dm)

    async def _correct(
        self, hold: Hold, known: Mapping[str, Message], said: Mapping[str, Arrival | None], *, settled_at: float
    ) -> None:
        """Edits and deletions that never arrived. A list without the question that was just asked proves nothing."""
        key = hold.thread.key
        copies = {_words(arrival.message) for ts, arrival in said.items() if arrival and ts not in known}
        for ts, message in known.items():
            arrival = said.get(ts)
            if ts not in said or (arrival and arrival.subtype == "tombstone"):
                shown = not ts.endswith("a")  # a turn that ended without a message of ours (see Message)
                gone = hold.turn.question_ts in said and seconds(ts) < settled_at
                if shown and gone and _words(message) not in copies:  # Slack Connect may tell of one under two ts
                    await self.threads.delete(key, ts)
            elif arrival and message.role == "user" and arrival.message.edited_ts > message.edited_ts:
                await self.threads.edit(key, ts, arrival.message.text, arrival.message.edited_ts)

    async def _add(self, hold: Hold, known: Mapping[str, Message], said: Sequence[Arrival]) -> list[str]:
        """What was said and never arrived; the ts of the questions that are new turns now."""
        key = hold.thread.key
        listed = {ts for turn in await self.turns.open_turns(key) for ts in turn.missed}
        ours_from = self._ours_from(hold, said)
        found, too_old = [], []
        for arrival in said:
            message = arrival.message
            if message.ts in listed and message.ts not in known:
                await self.threads.record(message)
            if message.ts in known or message.ts in listed or message.ts < ours_from or not self._concerns_us(arrival):
                continue
            if _is_stop(arrival):  # it found nothing to stop when it came, or is obeyed by whoever reads it here
                await (
                    self._accept(arrival, state="stopped") if is_addressed(arrival) else self.threads.record(message)
                )
            elif not self._is_question(arrival):
                await self.threads.record(message)
            elif self.now() - seconds(message.ts) > _TOO_OLD_S:
                too_old.append(arrival)
            elif await self._accept(arrival):
                found.append(message.ts)
        return found + await self._list(key, too_old)

    def _ours_from(self, hold: Hold, said: Sequence[Arrival]) -> str:
        """What was said before anybody spoke to us is history, and no question."""
        if hold.thread.backfilled:
            return hold.thread.since_ts
        return min([hold.turn.question_ts, *(arrival.message.ts for arrival in said if is_addressed(arrival))])

    def _concerns_us(self, arrival: Arrival) -> bool:
        return triage(arrival, self.rules).verdict != "ignore"

    def _is_question(self, arrival: Arrival) -> bool:
        """As it would have been when it arrived."""
        if is_addressed(arrival) or control_word(arrival.message.text, addressed=False):
            return True
        return follow_up(arrival, self.rules).verdict == "question"

    async def _accept(self, arrival: Arrival, missed: tuple[str, ...] = (), state: TurnState = "waiting") -> bool:
        turn, question = asked(arrival, now=self.now(), state=state)
        turn = replace(turn, missed=missed)
        return await self.turns.accept(turn, question, client_msg_id=arrival.client_msg_id) == "new"

    async def _list(self, key: ThreadKey, too_old: Sequence[Arrival]) -> list[str]:
        """One turn for each asker, in which they are told what was not answered.

        The turn comes first: should this process die here, the next one finds in the turn what is listed already.
        """
        found = []
        for user_id in dict.fromkeys(arrival.message.user_id for arrival in too_old):
            theirs = [arrival for arrival in too_old if arrival.message.user_id == user_id]
            log.warning("too old to answer", extra={"thread_key": str(key), "user": user_id, "questions": len(theirs)})
            while theirs:
                first, *theirs = theirs
                missed = tuple(arrival.message.ts for arrival in (first, *theirs))
                if await self._accept(first, missed):  # else it was deleted, or is known by another ts
                    found.append(first.message.ts)
                    break
            for other in theirs:
                await self.threads.record(other.message)
        return found


def _is_stop(arrival: Arrival) -> bool:
    word = control_word(arrival.message.text, addressed=is_addressed(arrival))
    return word is not None and word.kind == "stop"


def _words(message: Message) -> tuple[str, str]:
    return message.user_id, message.text
