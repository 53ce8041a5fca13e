"""History: what a turn may know, in which order."""

from bot.conversation.history import exchanges, question
from bot.conversation.thread import Message
from tests.doubles.sayings import KEY, ROOT_TS, answered, said, ts, turn


def texts(messages: list[Message], at: str, *, retry: int = 0) -> list[str]:
    return [m.text for each in exchanges(messages, turn(at, retry=retry)) for m in each.messages]


def test_closed_exchanges_come_in_the_order_they_were_answered() -> None:
    late = said("late", ROOT_TS, asks=True)
    early = said("early", ts(1), asks=True)
    messages = [late, early, answered("to early", ts(1), ts(2)), answered("to late", ROOT_TS, ts(3))]

    assert texts([*messages, said("now", ts(4), asks=True)], ts(4)) == ["early", "to early", "late", "to late"]


def test_a_bystander_stands_where_they_spoke() -> None:
    messages = [
        said("q", ROOT_TS, asks=True),
        answered("a", ROOT_TS, ts(1)),
        said("by the way", ts(2)),
        said("q2", ts(3), asks=True),
        answered("a2", ts(3), ts(4)),
        said("now", ts(5), asks=True),
    ]

    assert texts(messages, ts(5)) == ["q", "a", "by the way", "q2", "a2"]


def test_nothing_later_and_nothing_waiting_is_known() -> None:
    messages = [
        said("now", ts(1), asks=True),
        said("waits too", ts(2), asks=True),
        said("bystander, later", ts(3)),
    ]

    assert texts(messages, ts(1)) == []


def test_a_retry_does_not_see_the_answer_it_replaces() -> None:
    messages = [said("q", ROOT_TS, asks=True), answered("bad", ROOT_TS, ts(1)), said("other", ts(2))]

    assert texts(messages, ROOT_TS, retry=1) == []
    assert question(messages, turn(ROOT_TS, retry=1)) == messages[0]


def test_only_the_last_answer_to_a_question_is_known_to_later_turns() -> None:
    messages = [
        said("q", ROOT_TS, asks=True),
        answered("first", ROOT_TS, ts(1)),
        answered("second", ROOT_TS, ts(2), retry=1),
        said("now", ts(3), asks=True),
    ]

    assert texts(messages, ts(3)) == ["q", "second"]


def test_words_spoken_to_the_bot_itself_are_never_in_a_prompt() -> None:
    messages = [said("!model gemini", ts(1), asks=True), answered("", ts(1), ts(2)), said("now", ts(3), asks=True)]

    assert texts(messages, ts(3)) == []


def test_an_answer_whose_question_was_deleted_stays_but_not_one_from_before_the_cut() -> None:
    messages = [answered("old", ROOT_TS, ts(2)), said("x", ts(1)), answered("stays", ts(1) + "1", ts(3))]
    messages.sort(key=lambda m: m.ts)

    assert texts([*messages, said("now", ts(4), asks=True)], ts(4)) == ["x", "stays"]


def test_a_deleted_question_is_found_missing() -> None:
    assert question([said("other", ts(1))], turn(ts(2))) is None


def test_what_the_bot_said_before_the_mirror_began_stands_where_it_said_it() -> None:
    backfilled = Message(KEY, ts(1), "model", "I said this once")

    assert texts([said("q", ROOT_TS), backfilled, said("now", ts(2), asks=True)], ts(2)) == ["q", "I said this once"]
