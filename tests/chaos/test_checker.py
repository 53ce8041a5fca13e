"""The checker itself: each fault, made up in a small history, is found and called by its name; a clean run has none."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import check
from tests.chaos.history import History, Loss, Question, Said, Stored

THREAD = ("C0GENERAL", "100.000100")
FIRST = Question(token="q1", thread=THREAD, ts="100.000100", acked_at=100.2)
SECOND = Question(token="q2", thread=THREAD, ts="101.000100", acked_at=101.2)
JSON = dict[str, Any]


def message(question: Question, text: str, *, ts: str, part: int = 0, again: bool = False, marked: bool = True) -> JSON:
    blocks: list[JSON] = [{"type": "markdown", "text": text}, {"type": "context", "elements": []}]
    if again:
        blocks.append({"type": "actions", "elements": [{"type": "button", "action_id": "ask_again"}]})
    payload = {"turn": question.turn_id, "part": part}
    metadata = {"metadata": {"event_type": "tandem_turn", "event_payload": payload}} if marked else {}
    return {"ts": ts, "blocks": blocks, **metadata}


def said(question: Question, at: float, *, number: int = 1, whole: bool = True) -> Said:
    return Said(token=question.token, text=answer(question, number), at=at, whole=whole)


def answer(question: Question, number: int = 1) -> str:
    return f"{question.token} answer {number}: all of it"


def update(ts: str, text: str, at: float) -> JSON:
    blocks = [{"type": "markdown", "text": text}]
    return {"method": "chat.update", "at": at, "ok": True, "args": {"channel": THREAD[0], "ts": ts, "blocks": blocks}}


def appended(ts: str, text: str, at: float) -> JSON:
    chunks = [{"type": "markdown_text", "text": text}]
    args = {"channel": THREAD[0], "ts": ts, "chunks": chunks}
    return {"method": "chat.appendStream", "at": at, "ok": True, "args": args}


CLEAN = History(
    questions=[FIRST, SECOND],
    said=[said(FIRST, 100.5), said(SECOND, 103.0)],
    messages={THREAD: [message(FIRST, answer(FIRST), ts="102.1"), message(SECOND, answer(SECOND), ts="104.1")]},
    calls=[update("102.1", answer(FIRST), 102.5), update("104.1", answer(SECOND), 104.5)],
    turns={
        FIRST.turn_id: Stored(state="answered", accepted_at=100.1, answer=answer(FIRST)),
        SECOND.turn_id: Stored(state="answered", accepted_at=101.1, answer=answer(SECOND)),
    },
    closed=[FIRST.turn_id, SECOND.turn_id],
    exits=[0],
)


def faults(history: History) -> dict[str, int]:
    return dict(check(history).counts)


def test_a_run_in_which_all_went_well_has_no_fault() -> None:
    board = check(CLEAN)

    assert (board.asked, board.answered, board.faults) == (2, 2, []) and board.is_clean(recovery_s=0)


def test_a_question_without_a_message_is_lost() -> None:
    messages = {THREAD: [message(FIRST, answer(FIRST), ts="102.1")]}

    assert faults(replace(CLEAN, messages=messages)) == {"lost": 1}


def test_a_question_whose_turn_is_still_open_is_lost() -> None:
    turns = {**CLEAN.turns, SECOND.turn_id: replace(CLEAN.turns[SECOND.turn_id], state="running")}

    assert faults(replace(CLEAN, turns=turns)) == {"lost": 1}


def test_a_question_that_slack_never_got_through_is_not_lost_but_undelivered() -> None:
    history = replace(CLEAN, questions=[FIRST, replace(SECOND, acked_at=None)])

    assert (check(history).undelivered, faults(history)) == (1, {})


@pytest.mark.parametrize("marked", [True, False])
def test_a_second_message_of_one_answer_is_a_double(marked: bool) -> None:
    twin = message(FIRST, answer(FIRST), ts="102.2", marked=marked)
    history = replace(CLEAN, messages={THREAD: [*CLEAN.messages[THREAD], twin]})

    assert check(history).faults and not set(faults(history)) - {"doubled", "stale"}


def test_a_message_that_answers_nothing_in_its_thread_is_a_double() -> None:
    stray = message(Question(token="q9", thread=("C1", "1.1"), ts="1.1", acked_at=1.0), "q9 hello", ts="105.1")

    assert faults(replace(CLEAN, messages={THREAD: [*CLEAN.messages[THREAD], stray]})) == {"doubled": 1}


def test_two_parts_of_one_long_answer_are_no_double() -> None:
    parts = [message(FIRST, "q1 answer 1: ", ts="102.1"), message(FIRST, "all of it", ts="102.2", part=1)]

    assert faults(replace(CLEAN, messages={THREAD: [*parts, CLEAN.messages[THREAD][1]]})) == {}


def test_a_younger_question_that_begins_while_an_older_accepted_one_waits_is_out_of_order() -> None:
    third = Question(token="q3", thread=THREAD, ts="101.500000", acked_at=101.6)
    history = replace(
        CLEAN,
        questions=[FIRST, SECOND, third],
        said=[said(FIRST, 100.5), said(third, 103.0), said(SECOND, 105.0)],
        messages={THREAD: [*CLEAN.messages[THREAD], message(third, answer(third), ts="103.5")]},
        turns={**CLEAN.turns, third.turn_id: Stored(state="answered", accepted_at=101.5, answer=answer(third))},
    )

    assert faults(history) == {"out of order": 1}


def test_an_older_question_that_is_accepted_later_may_be_answered_later() -> None:
    late = replace(SECOND, ts="99.000100", acked_at=103.4)
    turns = {
        FIRST.turn_id: CLEAN.turns[FIRST.turn_id],
        late.turn_id: Stored(state="answered", accepted_at=103.3, answer=answer(late)),
    }
    messages = {THREAD: [CLEAN.messages[THREAD][0], message(late, answer(late), ts="104.1")]}

    assert faults(replace(CLEAN, questions=[FIRST, late], turns=turns, messages=messages, closed=())) == {}


def test_a_final_text_that_is_not_the_last_writers_is_stale() -> None:
    turns = {**CLEAN.turns, FIRST.turn_id: replace(CLEAN.turns[FIRST.turn_id], answer=answer(FIRST, 2))}

    assert faults(replace(CLEAN, turns=turns)) == {"stale": 1}


def test_a_turn_that_two_processes_close_has_a_stale_writer() -> None:
    assert faults(replace(CLEAN, closed=[*CLEAN.closed, FIRST.turn_id])) == {"stale": 1}


def test_half_an_answer_that_looks_whole_is_text_lost() -> None:
    half = answer(FIRST)[:12]
    messages = {THREAD: [message(FIRST, half, ts="102.1"), CLEAN.messages[THREAD][1]]}
    turns = {**CLEAN.turns, FIRST.turn_id: replace(CLEAN.turns[FIRST.turn_id], answer=half)}

    assert faults(replace(CLEAN, messages=messages, turns=turns)) == {"text lost": 1}


def test_half_an_answer_that_says_so_and_offers_another_is_an_outcome() -> None:
    half = answer(FIRST)[:12]
    messages = {THREAD: [message(FIRST, half, ts="102.1", again=True), CLEAN.messages[THREAD][1]]}
    turns = {**CLEAN.turns, FIRST.turn_id: Stored(state="failed", accepted_at=100.1, answer=half)}
    history = replace(
        CLEAN, messages=messages, turns=turns, calls=(), said=[said(FIRST, 100.5, whole=False), CLEAN.said[1]]
    )

    assert (check(history).cut, faults(history)) == (1, {})


def test_an_apology_with_a_way_to_try_again_is_an_outcome() -> None:
    sorry = message(FIRST, "I tried several times.", ts="102.1", again=True)
    turns = {**CLEAN.turns, FIRST.turn_id: Stored(state="dead", accepted_at=100.1, answer="")}
    history = replace(CLEAN, messages={THREAD: [sorry, CLEAN.messages[THREAD][1]]}, turns=turns, calls=())

    assert (check(history).apologies, faults(history)) == (1, {})


@pytest.mark.parametrize("grew", [update, appended])
def test_text_that_vanishes_before_a_whole_answer_stands_there_is_lost(grew: Any) -> None:
    calls = [grew("102.1", answer(FIRST)[:15], 101.0), update("102.1", answer(FIRST)[:5], 102.0), *CLEAN.calls]

    assert faults(replace(CLEAN, calls=calls)) == {"text lost": 1}


def test_a_longer_attempt_may_be_replaced_by_a_shorter_whole_answer() -> None:
    calls = [update("102.1", answer(FIRST) + " and much more", 101.0), *CLEAN.calls]

    assert faults(replace(CLEAN, calls=calls)) == {}


def test_a_thread_that_still_shows_somebody_at_work_is_stuck() -> None:
    assert faults(replace(CLEAN, busy=[THREAD])) == {"stuck": 1}


def test_a_process_that_does_not_end_well_is_a_fault() -> None:
    assert faults(replace(CLEAN, exits=[0, 1])) == {"bad exit": 1}


def test_recovery_counts_from_the_loss_of_a_process_to_the_next_sign_of_work() -> None:
    loss = Loss(kind="kill", at=100.9, turns=(FIRST.turn_id,))
    board = check(
        replace(CLEAN, said=[said(FIRST, 100.5, whole=False), said(FIRST, 101.9), CLEAN.said[1]], losses=[loss])
    )

    assert board.recoveries == [pytest.approx(1.0)]
    assert board.is_clean(recovery_s=1.1) and not board.is_clean(recovery_s=0.9)


def test_recovery_does_not_count_the_time_without_a_store() -> None:
    loss = Loss(kind="kill", at=90.0, turns=(FIRST.turn_id,))
    board = check(replace(CLEAN, losses=[loss], outages=[(80.0, 91.0), (95.0, 99.0)]))

    assert board.recoveries == [pytest.approx(100.5 - 90.0 - 1.0 - 4.0)]


def test_a_turn_that_nobody_takes_up_again_never_recovers() -> None:
    turns = {**CLEAN.turns, FIRST.turn_id: replace(CLEAN.turns[FIRST.turn_id], state="opening")}
    board = check(replace(CLEAN, turns=turns, losses=[Loss(kind="kill", at=200.0, turns=(FIRST.turn_id,))]))

    assert board.recovery(0.95) == float("inf")
