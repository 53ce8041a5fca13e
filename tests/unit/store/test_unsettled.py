"""A write that is repeated because nobody knew its outcome is made under the same nonce."""

import asyncio

import pytest

from bot.store.lifetimes import DAY_S, Lifetimes
from bot.store.unsettled import Unsettled


def failed(unsettled: Unsettled, name: str) -> str:
    """The nonce of a write that ended in an exception."""
    with pytest.raises(TimeoutError), unsettled.nonce(name) as nonce:
        raise TimeoutError
    return nonce


def settled(unsettled: Unsettled, name: str) -> str:
    """The nonce of a write that succeeded."""
    with unsettled.nonce(name) as nonce:
        return nonce


def test_a_repeated_write_has_the_first_ones_nonce() -> None:
    unsettled = Unsettled()
    first = failed(unsettled, "turn")

    assert failed(unsettled, "turn") == first
    assert settled(unsettled, "turn") == first


def test_a_settled_write_is_forgotten() -> None:
    unsettled = Unsettled()

    assert settled(unsettled, "turn") != settled(unsettled, "turn")


def test_each_write_has_its_own_nonce() -> None:
    unsettled = Unsettled()

    assert failed(unsettled, "turn") != failed(unsettled, "another")


def test_a_cancelled_write_counts_as_unsettled() -> None:
    unsettled = Unsettled()
    with pytest.raises(asyncio.CancelledError), unsettled.nonce("turn") as first:
        raise asyncio.CancelledError

    assert settled(unsettled, "turn") == first


def test_only_so_many_are_remembered() -> None:
    unsettled = Unsettled()
    nonces = [failed(unsettled, str(number)) for number in range(2_000)]

    assert settled(unsettled, "0") != nonces[0]
    assert settled(unsettled, "1999") == nonces[1999]


def test_words_go_with_the_retention_and_policies_stay() -> None:
    lifetimes = Lifetimes(30)

    assert lifetimes.words_s == lifetimes.turns_s == 30 * DAY_S
    assert lifetimes.stray_s == DAY_S
    assert lifetimes.choices_s > 365 * DAY_S


def test_turns_are_remembered_for_at_least_a_day() -> None:
    assert Lifetimes(0).turns_s == DAY_S
    assert Lifetimes(0).words_s == Lifetimes(0).stray_s == 0
