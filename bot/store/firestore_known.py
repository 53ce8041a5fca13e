"""What this process wrote and read of a thread in, whether its newest turn can be begun without asking out.

A thread's revision counts its changes, and Firestore tells what counting came to. So where the last turn here was ours,
nothing was open after it, and a new question brings the revision to just one more than then, that question is the only
one open; and every write is conditional on what was seen, should anything happen after all.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

from bot.conversation.thread import Thread, ThreadKey
from bot.conversation.turn import Turn
from bot.store.documents import new_thread, read_thread
from bot.store.firestore import data
from bot.store.firestore_batch import Snapshot

_REMEMBERED = 1_000  # threads; whoever is not among them is asked for


@dataclass(frozen=True, slots=True)
class Left:
    """A thread whose lease we gave up, and in which nothing was open then."""

    thread: Thread
    fence: int
    lease_version: datetime


@dataclass(frozen=True, slots=True)
class Fresh:
    """A turn that was accepted here, the only open one of its thread; `at` is the version of both."""

    turn: Turn
    thread: Thread
    at: datetime
    fence: int = 0
    lease_version: datetime | None = None  # None: nobody ever held the thread


class Known:
    """The threads that this process was the last to work in: when it gave each up, then `Left`, then `Fresh`."""

    def __init__(self) -> None:
        self._threads: OrderedDict[ThreadKey, datetime | Left | Fresh] = OrderedDict()

    def released(self, key: ThreadKey, lease_version: datetime) -> None:
        """The lease was given up by that write; what is asked from now on is asked later."""
        self._keep(key, lease_version)

    def found_nothing_open(self, key: ThreadKey, thread: Snapshot, held: Snapshot) -> None:
        """Asked for open turns, the store had none; thread and lease were read at about the same time."""
        version, document = self._threads.pop(key, None), data(held)
        if not isinstance(version, datetime) or document is None or held.update_time != version:
            return
        if thread.exists and thread.update_time <= version:  # else a turn may have come between the two reads
            self._keep(key, Left(read_thread(key, data(thread) or {}), document["fence"], version))

    def accepted(self, turn: Turn, *, revision: int | None, at: datetime) -> None:
        """The turn was stored, in a new thread (`revision` None) or in one that was there."""
        key = turn.thread
        left = self._threads.pop(key, None)
        if not turn.open:
            return
        if revision is None:
            self._keep(key, Fresh(turn, replace(new_thread(turn), revision=1), at))
        elif isinstance(left, Left) and left.thread.revision + 1 == revision:
            thread = replace(left.thread, revision=revision)
            self._keep(key, Fresh(turn, thread, at, left.fence, left.lease_version))

    def fresh(self, key: ThreadKey) -> Fresh | None:
        """The turn to begin there without asking; told once."""
        known = self._threads.get(key)
        if not isinstance(known, Fresh):
            return None
        del self._threads[key]
        return known

    def _keep(self, key: ThreadKey, known: datetime | Left | Fresh) -> None:
        self._threads[key] = known
        self._threads.move_to_end(key)
        if len(self._threads) > _REMEMBERED:
            self._threads.popitem(last=False)
