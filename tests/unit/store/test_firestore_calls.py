"""Every exception of Google's library has its translation, and every method its deadline."""

import asyncio
import time

import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from bot.errors import LeaseLost, StoreUnavailable
from bot.store.firestore_calls import Conflict, Interrupted, committing, reading, settle


def descendants(cls: type[Exception]) -> list[type[Exception]]:
    """A class and all that inherit from it."""
    return [cls, *(each for child in cls.__subclasses__() for each in descendants(child))]


CALL_ERRORS = sorted(set(descendants(exceptions.GoogleAPICallError)), key=lambda cls: cls.__name__)
PRECONDITIONS = {"AlreadyExists", "FailedPrecondition", "NotFound", "Aborted"}


@pytest.mark.parametrize("cls", CALL_ERRORS, ids=lambda cls: cls.__name__)
def test_every_failed_commit_is_a_conflict_an_interruption_or_unavailable(cls: type[Exception]) -> None:
    with pytest.raises((Conflict, Interrupted, StoreUnavailable)) as raised, committing():
        raise cls("no")

    assert (raised.type is Conflict) == (cls.__name__ in PRECONDITIONS)
    assert isinstance(raised.value.__cause__, cls)


@pytest.mark.parametrize("cls", CALL_ERRORS, ids=lambda cls: cls.__name__)
def test_no_failed_read_is_a_conflict(cls: type[Exception]) -> None:
    with pytest.raises((Interrupted, StoreUnavailable)), reading():
        raise cls("no")


@pytest.mark.parametrize(
    "cls", [exceptions.ServiceUnavailable, exceptions.DeadlineExceeded, exceptions.InternalServerError]
)
def test_an_outcome_that_nobody_knows_is_asked_for_again(cls: type[Exception]) -> None:
    for translated in (reading, committing):
        with pytest.raises(Interrupted), translated():
            raise cls("no")


@pytest.mark.parametrize(
    "cls",
    [
        exceptions.PermissionDenied,
        exceptions.Unauthenticated,
        exceptions.InvalidArgument,
        RefreshError,
        DefaultCredentialsError,
        ValueError,  # "is not a document id"
    ],
    ids=lambda cls: cls.__name__,
)
def test_a_refusal_is_final(cls: type[Exception]) -> None:
    for translated in (reading, committing):
        with pytest.raises(StoreUnavailable), translated():
            raise cls("no")


async def test_an_attempt_is_repeated_until_it_is_settled() -> None:
    tried: list[int] = []

    async def attempt(number: int) -> str:
        tried.append(number)
        if number == 0:
            raise Conflict("changed")
        if number == 1:
            raise Interrupted("cut")
        return "settled"

    assert await settle(attempt) == "settled"
    assert tried == [0, 1, 2]


async def test_what_never_settles_is_unavailable_at_the_deadline() -> None:
    async def attempt(_: int) -> None:
        raise Conflict("changed again")

    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="changed again"):
        await settle(attempt, deadline_s=0.05)

    assert time.monotonic() - started < 1.0


async def test_a_call_that_hangs_ends_at_the_deadline() -> None:
    with pytest.raises(StoreUnavailable):
        await settle(lambda _: asyncio.Event().wait(), deadline_s=0.01)


async def test_a_lost_lease_is_not_tried_again() -> None:
    tried: list[int] = []

    async def attempt(number: int) -> None:
        tried.append(number)
        raise LeaseLost("somebody else's")

    with pytest.raises(LeaseLost):
        await settle(attempt)
    assert tried == [0]


async def test_a_caller_who_goes_away_is_not_held_up() -> None:
    settling = asyncio.create_task(settle(lambda _: asyncio.Event().wait()))
    await asyncio.sleep(0)

    settling.cancel()

    with pytest.raises(asyncio.CancelledError):
        await settling
