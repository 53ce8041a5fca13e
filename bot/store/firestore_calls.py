"""Calls to Firestore in, their results or StoreErrors out: the one place that knows its deadlines and its exceptions.

The library's own defaults retry a read for five minutes and report a write that landed as a failure. So every call is
tried once, within `CALL_S`, and every method is an attempt that reads, decides and commits: it is run again until it
is settled or `DEADLINE_S` is over. An attempt recognises by its nonce what an earlier one already wrote.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from bot.errors import StoreUnavailable

T = TypeVar("T")

CALL_S = 2.0  # one call
DEADLINE_S = 5.0  # one method, with all that it tries; half of the default lease
_PAUSE_S = 0.01  # before the second attempt, about; twice as long before each next one
_LONGEST_PAUSE_S = 0.5


class Conflict(Exception):
    """A precondition of a batch did not hold: nothing was written, or an earlier attempt had written it. Read again."""


class Interrupted(Exception):
    """No answer came, or "try again": whether a batch was written is unknown. Read again."""


_CONFLICTS = (
    exceptions.AlreadyExists,
    exceptions.FailedPrecondition,
    exceptions.NotFound,
    exceptions.Aborted,
)
_INTERRUPTIONS = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.GatewayTimeout,
    exceptions.InternalServerError,
    exceptions.Unknown,
    exceptions.Cancelled,
    exceptions.TooManyRequests,
    exceptions.RetryError,
    grpc.RpcError,
)
_REFUSALS = (exceptions.GoogleAPICallError, GoogleAuthError, ValueError)


@contextmanager
def reading() -> Iterator[None]:
    """Translate what a read raises."""
    try:
        yield
    except exceptions.Aborted as busy:
        raise Interrupted(str(busy)) from busy
    except (*_CONFLICTS[:-1], *_REFUSALS, *_INTERRUPTIONS) as failed:
        if isinstance(failed, _INTERRUPTIONS):
            raise Interrupted(str(failed)) from failed
        raise StoreUnavailable(f"Firestore refuses to read: {failed}") from failed


@contextmanager
def committing() -> Iterator[None]:
    """Translate what a batch's commit raises."""
    try:
        yield
    except _CONFLICTS as conflict:
        raise Conflict(str(conflict)) from conflict
    except _INTERRUPTIONS as interrupted:
        raise Interrupted(str(interrupted)) from interrupted
    except _REFUSALS as refused:
        raise StoreUnavailable(f"Firestore refuses to write: {refused}") from refused


async def settle(attempt: Callable[[int], Awaitable[T]], *, deadline_s: float = DEADLINE_S) -> T:
    """Run `attempt(0)`, `attempt(1)`, … until one is settled; raises StoreUnavailable when the deadline is over."""
    reason: Exception | None = None
    try:
        async with asyncio.timeout(deadline_s):
            tried = 0
            while True:
                try:
                    return await attempt(tried)
                except (Conflict, Interrupted) as again:
                    reason = again
                tried += 1
                await asyncio.sleep(random.uniform(0.5, 1.5) * min(_PAUSE_S * 2 ** (tried - 1), _LONGEST_PAUSE_S))  # noqa: S311
    except TimeoutError as late:
        raise StoreUnavailable(f"Firestore did not settle it within {deadline_s:g} s: {reason}") from (reason or late)
