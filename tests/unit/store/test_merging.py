"""What arrives about a message is merged to the same end in whatever order it comes."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.conversation.thread import File, Message, ThreadKey
from bot.store.documents import Document, message_document
from bot.store.merging import (
    Stored,
    is_early_edit,
    is_readable,
    is_tombstone,
    pointer,
    target,
    tombstone,
    with_answer,
    with_edit,
    with_original,
)

KEY = ThreadKey("C0GENERAL", "1700000000.000100")
SAID = Message(KEY, "1700000005.000100", "user", "first", user_id="U0ANN")
ANSWER = Message(KEY, "1700000006.000100", "model", "Because.", question_ts=SAID.ts, turn_id="t", model_id="gemma")

ARRIVALS: dict[str, Callable[[Stored], Document | None]] = {
    "said": lambda stored: with_original(stored, SAID),
    "asked": lambda stored: with_original(stored, replace(SAID, turn_id="C0GENERAL:1700000005.000100")),
    "edited once": lambda stored: with_edit(stored, "second", "1700000010.000100"),
    "edited twice": lambda stored: with_edit(stored, "third", "1700000011.000100"),
    "seen later": lambda stored: with_original(stored, replace(SAID, text="third", edited_ts="1700000011.000100")),
    "deleted": lambda stored: tombstone(),
}


def after(arrivals: tuple[str, ...]) -> Document | None:
    """What is stored once all of these have come, one after another."""
    stored: Document | None = None
    for arrival in arrivals:
        changed = ARRIVALS[arrival](stored)
        stored = stored if changed is None else changed
    return stored


@pytest.mark.parametrize("size", range(1, 7))
def test_every_order_of_every_set_of_arrivals_ends_the_same(size: int) -> None:
    for arrivals in itertools.combinations(ARRIVALS, size):
        orders = itertools.permutations(arrivals)
        ends = {str(sorted((after(order) or {}).items())) for order in orders}
        assert len(ends) == 1, arrivals


def test_every_arrival_may_come_twice() -> None:
    for arrivals in itertools.permutations(ARRIVALS, 4):
        once = after(arrivals)
        for i, j in itertools.combinations(range(5), 2):
            twice = (*arrivals[:i], *arrivals[i:j], *arrivals[i:])
            assert after(twice) == once, twice


def test_the_newest_edit_is_what_was_said() -> None:
    for arrivals in itertools.permutations(["asked", "edited once", "edited twice"]):
        stored = after(arrivals) or {}
        assert (stored["text"], stored["editedTs"]) == ("third", "1700000011.000100")
        assert stored["userId"] == "U0ANN" and stored["turnId"]


def test_nothing_brings_a_deleted_message_back() -> None:
    for arrivals in itertools.permutations(ARRIVALS):
        assert after(arrivals) == tombstone()


def test_an_edit_alone_is_not_read_as_a_message() -> None:
    early = with_edit(None, "second", "1700000010.000100")

    assert early is not None and not is_readable(early) and is_early_edit(early)
    assert not any(map(is_early_edit, (None, tombstone(), pointer("1.2"), message_document(SAID))))
    assert not is_readable(None) and not is_readable(tombstone()) and not is_readable(pointer("1.2"))


def test_what_is_there_already_wins_over_a_late_copy() -> None:
    stored = message_document(replace(SAID, name="Ann", files=(File("F1", "a.png", "image/png", 1),)))

    assert with_original(stored, replace(SAID, text="something else", name="Somebody else")) is None


def test_a_copy_adds_what_was_missing() -> None:
    stored = message_document(SAID)
    file = File("F1", "a.png", "image/png", 1)

    merged = with_original(stored, replace(SAID, name="Ann", files=(file,)))

    assert merged == message_document(replace(SAID, name="Ann", files=(file,)))


def test_a_retry_does_not_take_its_question_from_the_first_turn() -> None:
    stored = message_document(replace(SAID, turn_id="C:1"))

    assert with_original(stored, replace(SAID, turn_id="C:1:1")) is None


def test_an_answer_is_changed_by_nothing_but_its_turn() -> None:
    stored = message_document(ANSWER)

    assert with_original(stored, replace(SAID, ts=ANSWER.ts)) is None
    assert with_edit(stored, "Because… (edited)", "1700000010.000100") is None


def test_a_part_that_was_deleted_early_deletes_the_whole_answer() -> None:
    assert with_answer([None, tombstone()], ANSWER, "U0ANN") == tombstone()
    assert with_answer([tombstone(), None], ANSWER, "U0ANN") == tombstone()
    assert with_answer([None, pointer(ANSWER.ts)], ANSWER, "U0ANN") == message_document(ANSWER, asker_id="U0ANN")


def test_a_later_part_points_to_the_first() -> None:
    assert target(pointer("1.2")) == "1.2"
    assert target(tombstone()) == target(None) == target(message_document(ANSWER)) == ""
    assert is_tombstone(tombstone()) and not is_tombstone(pointer("1.2")) and not is_tombstone(None)
