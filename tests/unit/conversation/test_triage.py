"""Triage: who is answered, who is only mirrored, who is left alone, each with a named reason."""

import pytest

from bot.conversation.arrival import Sender
from bot.conversation.triage import Rules, Triage, follow_up, triage
from tests.doubles.sayings import arrival, ts

RULES = Rules()


@pytest.mark.parametrize(
    ("sender", "reason"),
    [("ourselves", "ourselves"), ("bot", "other_bot"), ("slack", "slack_itself"), ("outsider", "outsider")],
)
def test_nobody_but_people_of_the_workspace_is_answered(sender: Sender, reason: str) -> None:
    assert triage(arrival("hi", sender=sender, mentions_us=True), RULES) == Triage("ignore", reason)


def test_outsiders_are_answered_where_an_operator_allows_it() -> None:
    assert triage(arrival("hi", sender="outsider", mentions_us=True), Rules(outsiders=True)).verdict == "question"


def test_a_mention_is_a_question_wherever_it_stands() -> None:
    assert triage(arrival("hi", mentions_us=True), RULES).verdict == "question"
    assert triage(arrival("hi", ts(5), mentions_us=True, mentions_others=True), RULES).verdict == "question"


def test_every_message_of_a_direct_conversation_is_a_question() -> None:
    assert triage(arrival("hi", place="dm"), RULES).verdict == "question"


def test_an_unmentioned_root_message_needs_no_store() -> None:
    assert triage(arrival("lunch?"), RULES) == Triage("ignore", "not_addressed")


def test_an_unmentioned_reply_is_for_the_store_to_judge() -> None:
    assert triage(arrival("and then?", ts(5)), RULES).verdict == "reply"


def test_a_follow_up_to_somebody_else_is_only_mirrored() -> None:
    assert follow_up(arrival("@Ben?", ts(5), mentions_others=True), RULES) == Triage("ignore", "to_somebody_else")


def test_follow_ups_can_be_turned_off() -> None:
    assert follow_up(arrival("and?", ts(5)), RULES).verdict == "question"
    assert follow_up(arrival("and?", ts(5)), Rules(follow_ups=False)) == Triage("ignore", "follow_ups_off")
