"""Signs of life and of trouble in, the threads that may lack a message out.

Slack gives up on an event after a few minutes. What was said in an outage and never arrived can be read from Slack
itself, when its thread is next heard of: this says which threads are to be compared, and from when on.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence

from bot.conversation.asking import seconds
from bot.conversation.mirror import Outage, TurnStore
from bot.conversation.thread import ThreadKey
from bot.errors import StoreError

log = logging.getLogger("tandem.outages")

_PULSE_S = 15.0
_SILENT_S = 45.0  # nobody listened: three pulses are missing
_BEFORE_S = 400.0  # what Slack could not deliver shortly before, it tried again for so long: in vain
_COMPARED_MOST = 10_000


class Outages:
    """What this process knows of them. Without one, no thread is ever compared."""

    def __init__(self, turns: TurnStore, *, now: Callable[[], float]) -> None:
        self._turns = turns
        self._now = now
        self._known: Sequence[Outage] = ()
        self._missed: list[Outage] = []  # not yet told to the others
        self._compared: OrderedDict[ThreadKey, float] = OrderedDict()

    def missed(self, ts: str) -> None:
        """What was said at `ts` could not be stored now; Slack may send it again, or may not."""
        now = self._now()
        self._missed.append(Outage(min(seconds(ts) or now, now), now))

    def doubtful_since(self, thread: ThreadKey) -> float | None:
        """From when on (epoch seconds) the mirror may lack messages of a thread; None where it lacks nothing."""
        begun = seconds(thread.thread_ts)
        whole_at = max(begun, self._compared.get(thread, 0.0))
        since = [outage.since for outage in (*self._known, *self._missed) if outage.until >= whole_at]
        return max(begun, min(since) - _BEFORE_S) if since else None

    def compared(self, thread: ThreadKey) -> None:
        """The mirror lacks nothing of this thread now."""
        self._compared[thread] = self._now()
        self._compared.move_to_end(thread)
        while len(self._compared) > _COMPARED_MOST:
            self._compared.popitem(last=False)

    async def run(self, listening: Callable[[], bool]) -> None:
        """Tell and hear of outages until cancelled; `listening` tells whether events reach this process."""
        while True:
            await asyncio.sleep(_PULSE_S)
            if listening():
                await self.pulse()

    async def pulse(self) -> None:
        """Tell the others that somebody listens, and what was missed; hear what they missed."""
        telling = self._merged()
        try:
            self._known = await self._turns.pulse(telling, silent_s=_SILENT_S)
        except StoreError as error:
            log.warning("pulse failed", extra={"code": error.code})
            return
        del self._missed[: len(telling)]

    def _merged(self) -> list[Outage]:
        """What is to be told, in one piece: an outage may cost thousands of events."""
        if self._missed:
            since, until = min(each.since for each in self._missed), max(each.until for each in self._missed)
            self._missed[:] = [Outage(since, until)]
        return list(self._missed)
