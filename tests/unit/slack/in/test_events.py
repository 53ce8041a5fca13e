"""Slack's JSON reads as arrivals, edits, deletions and stops; what cannot be read has a reason and raises nothing."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.arrival import Arrival, Deletion, Edit, Stop
from bot.conversation.thread import File, ThreadKey
from bot.slack.authorize import Identity
from bot.slack.events import EventReader, Unread, is_event, team_of
from bot.slack.interactions import click_of, command_of
from tests.doubles.payloads import names, payload, spoiled

US = Identity(team_id="T0TANDEM", user_id="U0BOT", bot_id="B0BOT")
ROOT = "1763000000.000100"
GENERAL = ThreadKey("C0GENERAL", ROOT)


def reader(*, outsiders: bool = False, us: Identity = US) -> EventReader:
    return EventReader(us, name_of=lambda user: {"U0BEN": "Ben"}.get(user, ""), outsiders=outsiders)


def arrival(name: str) -> Arrival:
    reading = reader().read(payload(name))
    assert isinstance(reading, Arrival), reading
    return reading


@pytest.mark.parametrize(
    ("name", "sender", "place", "mentions_us", "is_root"),
    [
        ("app_mention", "person", "channel", True, True),
        ("app_mention_twin", "person", "channel", True, True),
        ("message_root_unmentioned", "person", "channel", False, True),
        ("message_im", "person", "dm", False, True),
        ("message_im_in_thread", "person", "dm", False, False),
        ("message_mpim", "person", "channel", True, True),
        ("message_group_reply", "person", "channel", False, False),
        ("file_share", "person", "channel", False, True),
        ("thread_broadcast", "person", "channel", False, False),
        ("me_message", "person", "channel", False, True),
        ("bot_message", "bot", "channel", False, True),
        ("message_of_another_bot_that_mentions_us", "bot", "channel", True, True),
        ("message_ours", "ourselves", "channel", False, False),
        ("channel_join", "slack", "channel", False, True),
        ("channel_topic", "slack", "channel", False, True),
        ("slackbot", "slack", "channel", False, True),
        ("assistant_app_thread", "slack", "dm", False, True),
        ("connect_mention_of_outsider", "outsider", "channel", True, True),
        ("connect_member_at_home", "person", "channel", True, True),
        ("connect_nobody_says_whose", "outsider", "channel", True, True),
    ],
)
def test_a_message_arrives_with_its_sender_and_place(
    name: str, sender: str, place: str, mentions_us: bool, is_root: bool
) -> None:
    read = arrival(name)
    assert (read.sender, read.place, read.mentions_us, read.is_root) == (sender, place, mentions_us, is_root)
    assert read.team_id == "T0TANDEM"


def test_both_events_of_a_mention_read_alike() -> None:
    assert arrival("app_mention") == arrival("app_mention_twin")


def test_a_message_reads_as_people_see_it() -> None:
    message = arrival("app_mention").message
    assert message.text == "what is <b> & why? Ask @Ben in #random, see the page (https://example.com/a?b=1&c=2)"
    assert (message.thread, message.ts, message.user_id) == (GENERAL, ROOT, "U0ADA")
    assert arrival("app_mention").mentions_others
    assert arrival("app_mention").client_msg_id == "9f3e0d8a-2f43-4f9c-9d2c-6a0c2f7f7c11"


def test_a_reply_names_its_thread() -> None:
    assert arrival("message_group_reply").message.thread == ThreadKey("C0PRIVATE", ROOT)
    assert arrival("message_group_reply").mentions_others


def test_files_come_with_what_slack_says_of_them() -> None:
    assert arrival("file_share").message.files == (File("F0PLAN", "plan.pdf", "application/pdf", 4096),)
    assert arrival("file_of_another_organisation").message.files == (File("F0STUB", "", "", 0),)


def test_a_file_needs_no_words() -> None:
    assert arrival("file_share_without_words").message.text == ""
    body = payload("file_share_without_words")
    body["event"]["text"] = None
    assert isinstance(reader().read(body), Arrival)


def test_an_outsider_comes_with_their_own_team() -> None:
    assert arrival("connect_mention_of_outsider").sender_team_id == "T0PARTNER"
    assert arrival("connect_nobody_says_whose").sender_team_id == ""


def test_colleagues_of_another_workspace_of_the_organisation_are_people() -> None:
    body = payload("connect_mention_of_outsider")
    body["event"] |= {"user_team": "E0ORG"}
    us = Identity(team_id="T0TANDEM", user_id="U0BOT", bot_id="B0BOT", enterprise_id="E0ORG")
    reading = reader(us=us).read(body)
    assert isinstance(reading, Arrival) and reading.sender == "person"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("message_changed", Edit(GENERAL, ROOT, "hello again", "1763000060.000000")),
        ("message_changed_in_thread", Edit(GENERAL, "1763000030.000100", "better", "1763000060.000000")),
        ("message_changed_by_us", Edit(GENERAL, "1763000005.000100", "", "1763000007.000000", by_us=True)),
        ("message_changed_by_unfurl", Unread("unfurled")),
        ("message_changed_by_late_unfurl", Unread("unfurled")),
        ("message_changed_by_another_bot", Unread("other_bot")),
        ("message_changed_to_tombstone", Deletion(GENERAL, ROOT, "U0ADA")),
        ("message_deleted", Deletion(GENERAL, ROOT, "U0ADA")),
        ("message_deleted_in_thread", Deletion(GENERAL, "1763000030.000100", "U0ADA")),
        ("message_deleted_ours", Deletion(GENERAL, "1763000005.000100", "U0BOT")),
        ("message_deleted_of_another_bot", Unread("other_bot")),
        ("message_deleted_without_previous", Deletion(GENERAL, ROOT, "")),
        ("agent_session_stopped", Stop(GENERAL, "1763000009.000100", "U0ADA")),
        (
            "agent_session_stopped_without_thread",
            Stop(ThreadKey("D0ADA", "1763000009.000100"), "1763000009.000100", "U0ADA", whole_dm=True),
        ),
        ("app_home_opened", Unread("no_message")),
        ("reaction_added", Unread("no_message")),
    ],
)
def test_edits_deletions_and_stops_read_as_what_they_are(name: str, expected: object) -> None:
    assert reader().read(payload(name)) == expected


def test_an_edit_tells_whether_it_was_said_to_the_bot() -> None:
    mention, in_dm, aside = (payload("message_changed") for _ in range(3))
    mention["event"]["message"]["text"] = "<@U0BOT> better"
    in_dm["event"] |= {"channel": "D0ADA", "channel_type": "im"}

    edits = [reader().read(body) for body in (mention, in_dm, aside)]
    assert [isinstance(edit, Edit) and edit.addressed for edit in edits] == [True, True, False]


def test_an_outsiders_edit_counts_where_outsiders_are_answered() -> None:
    body = payload("message_changed")
    body["event"]["message"]["user_team"] = "T0PARTNER"
    assert reader().read(body) == Unread("outsider")
    assert isinstance(reader(outsiders=True).read(body), Edit)


def test_the_installation_is_named_by_the_authorization() -> None:
    assert team_of(payload("connect_mention_of_outsider")) == "T0TANDEM"
    assert team_of(payload("connect_twin_for_another_installation")) == "T0PARTNER"
    assert team_of({"team_id": "T1"}) == "T1"
    assert team_of({"authorizations": [{"team_id": None, "enterprise_id": "E1"}]}) == "E1"
    assert team_of({"authorizations": "x"}) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": None}, "malformed_user"),
        ({"user": ["U0ADA"]}, "malformed_user"),
        ({"text": None}, "malformed_text"),
        ({"text": {"a": 1}}, "malformed_text"),
        ({"ts": 1763000000.0001}, "malformed_ts"),
        ({"ts": "soon"}, "malformed_ts"),
        ({"ts": "\u0661.\u0662"}, "malformed_ts"),
        ({"thread_ts": "../../1"}, "malformed_thread_ts"),
        ({"channel": "C0/../x"}, "malformed_channel"),
        ({"channel": None}, "malformed_channel"),
    ],
)
def test_a_malformed_message_is_unread_with_a_reason(change: dict[str, Any], reason: str) -> None:
    body = payload("app_mention_twin")
    body["event"] |= change
    assert reader().read(body) == Unread(reason)


def test_what_can_be_repaired_is_read() -> None:
    body = payload("app_mention_twin")
    body["event"] |= {"text": "<@U0BOT> \ud83d hm", "client_msg_id": "../..", "files": [None, {"id": 7}], "team": 7}
    reading = reader().read(body)
    assert isinstance(reading, Arrival)
    assert (reading.message.text, reading.client_msg_id, reading.message.files) == ("\ufffd hm", "", ())


@settings(max_examples=3000)
@given(st.sampled_from(names()), st.randoms(use_true_random=False))
def test_no_payload_makes_reading_fail(name: str, chance: random.Random) -> None:
    body = spoiled(payload(name), chance)

    is_event(body)
    team_of(body)
    click_of(body)
    command_of(body)
    assert reader().read(body) is not None
