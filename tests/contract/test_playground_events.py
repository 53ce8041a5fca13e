"""What happens in the workspace reaches the app as Slack's events, and only what it may hear."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.in_process import ADA, BEN, BOT, DM, GENERAL, QUIET, SECRET, TEAM, InProcess

JSON = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def events(slack: InProcess, kind: str = "") -> list[JSON]:
    """The inner events sent so far."""
    sent = [delivery["payload"]["event"] for delivery in await slack.deliveries() if "event" in delivery["payload"]]
    return [event for event in sent if kind in ("", event["type"])]


async def test_a_mention_comes_twice_with_two_event_ids_in_either_order(slack: InProcess) -> None:
    orders = set()
    for _ in range(40):
        await slack.reset()
        ts = await slack.ask("@Tandem hello <b> & co")
        sent = await slack.deliveries()
        first, second = (delivery["payload"] for delivery in sent)
        assert first["event_id"] != second["event_id"]
        assert {first["event"]["ts"], second["event"]["ts"]} == {ts}
        assert first["event"]["text"] == "<@U0BOT> hello &lt;b&gt; &amp; co"
        orders.add((first["event"]["type"], second["event"]["type"]))
    assert orders == {("app_mention", "message"), ("message", "app_mention")}


async def test_an_envelope_is_slacks(slack: InProcess) -> None:
    await slack.ask("no mention")
    envelope = (await slack.deliveries())[0]["payload"]
    assert envelope["type"] == "event_callback" and envelope["team_id"] == TEAM
    assert envelope["authorizations"][0]["user_id"] == BOT
    event = envelope["event"]
    assert (event["user"], event["channel"], event["channel_type"], event["team"]) == (ADA, GENERAL, "channel", TEAM)
    assert event["client_msg_id"] and event["blocks"][0]["type"] == "rich_text" and "thread_ts" not in event


@pytest.mark.parametrize(("channel", "kind"), [(GENERAL, "channel"), (SECRET, "group"), (DM, "im")])
async def test_each_kind_of_channel_has_its_own_type(slack: InProcess, channel: str, kind: str) -> None:
    await slack.say(ADA, channel, "@Tandem hello")
    assert [event["channel_type"] for event in await events(slack, "message")] == [kind]
    assert len(await events(slack, "app_mention")) == (0 if kind == "im" else 1)


async def test_nothing_is_heard_where_the_app_is_no_member(slack: InProcess) -> None:
    await slack.say(ADA, QUIET, "@Tandem hello")
    assert await events(slack) == []
    await slack.join(BOT, QUIET)
    await slack.say(ADA, QUIET, "@Tandem hello")
    kinds = sorted(event["type"] for event in await events(slack))
    assert kinds == ["app_mention", "member_joined_channel", "message", "message"]


async def test_nothing_is_heard_that_the_app_is_not_subscribed_to() -> None:
    async with InProcess(events=frozenset({"app_mention", "message.im"})) as slack:
        await slack.ask("@Tandem hello")
        await slack.say(ADA, DM, "hello")
        assert sorted(event["type"] for event in await events(slack)) == ["app_mention", "message"]


async def test_edits_and_deletions_carry_what_was_before(slack: InProcess) -> None:
    ts = await slack.ask("first")
    await slack.edit(ADA, GENERAL, ts, "second")
    await slack.delete(ADA, GENERAL, ts)
    _, edited, deleted = await events(slack)
    assert edited["subtype"] == "message_changed" and edited["message"]["edited"]["user"] == ADA
    assert (edited["previous_message"]["text"], edited["message"]["text"]) == ("first", "second")
    assert deleted["subtype"] == "message_deleted" and deleted["deleted_ts"] == ts
    assert deleted["previous_message"]["text"] == "second"


async def test_an_edit_that_adds_a_mention_is_no_mention(slack: InProcess) -> None:
    ts = await slack.ask("first")
    await slack.edit(ADA, GENERAL, ts, "@Tandem second")
    assert await events(slack, "app_mention") == []


async def test_a_link_preview_is_a_change_that_nobody_made(slack: InProcess) -> None:
    ts = await slack.ask("see https://a.example/")
    await slack.unfurl(GENERAL, ts)
    changed = (await events(slack))[-1]
    assert changed["subtype"] == "message_changed" and "edited" not in changed["message"]
    assert changed["message"]["text"] == changed["previous_message"]["text"]
    assert changed["message"]["attachments"][0]["from_url"] == "https://a.example/"


async def test_a_deleted_root_with_replies_becomes_a_tombstone(slack: InProcess) -> None:
    root = await slack.ask("root")
    await slack.say(BEN, GENERAL, "reply", root)
    await slack.delete(ADA, GENERAL, root)
    event = (await events(slack))[-1]
    assert event["subtype"] == "message_changed" and event["message"]["subtype"] == "tombstone"
    assert event["previous_message"]["text"] == "root"


async def test_the_app_hears_its_own_messages_and_updates(slack: InProcess) -> None:
    ts = (await slack.client.chat_postMessage(channel=GENERAL, text="mine"))["ts"]
    await slack.client.chat_update(channel=GENERAL, ts=ts, text="mine again")
    await slack.client.chat_delete(channel=GENERAL, ts=ts)
    posted, changed, deleted = await events(slack)
    assert posted["bot_id"] == "B0BOT" and posted["user"] == BOT
    assert changed["subtype"] == "message_changed" and changed["message"]["text"] == "mine again"
    assert deleted["previous_message"]["bot_id"] == "B0BOT"


async def test_a_stream_is_heard_when_it_begins_and_when_it_ends(slack: InProcess) -> None:
    root = await slack.ask("root")
    stream = await slack.client.chat_stream(
        channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM, buffer_size=1
    )
    for _ in range(3):
        await stream.append(markdown_text="word ")
    await stream.stop()
    _, began, ended = await events(slack)
    assert began["text"] == "word " and ended["message"]["text"] == "word word word "


async def test_replies_broadcasts_and_files_have_slacks_shapes(slack: InProcess) -> None:
    root = await slack.ask("root")
    await slack.say(BEN, GENERAL, "reply", root)
    await slack.say(BEN, GENERAL, "loud", root, broadcast=True)
    file = {"name": "a.txt", "mimetype": "text/plain", "content_base64": base64.b64encode(b"hi").decode()}
    await slack.say(BEN, GENERAL, "@Tandem look", files=[file])
    _, reply, broadcast, *shared = await events(slack)
    assert (reply["thread_ts"], reply["parent_user_id"]) == (root, ADA) and "subtype" not in reply
    assert broadcast["subtype"] == "thread_broadcast" and broadcast["root"]["ts"] == root
    by_type = {event["type"]: event for event in shared}
    assert by_type["message"]["subtype"] == "file_share" and by_type["message"]["files"][0]["size"] == 2
    assert by_type["app_mention"]["files"] == by_type["message"]["files"] and "subtype" not in by_type["app_mention"]


async def test_home_stop_and_reactions_are_heard(slack: InProcess) -> None:
    root = await slack.ask("root")
    await slack.open_home(ADA, "messages")
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    await slack.stop(ADA, GENERAL, root)
    await slack.react(BEN, GENERAL, root, "eyes")
    _, home, stopped, reaction = await events(slack)
    assert (home["type"], home["tab"], home["channel"]) == ("app_home_opened", "messages", DM)
    assert (stopped["type"], stopped["thread_ts"], stopped["user"]) == ("agent_session_stopped", root, ADA)
    assert stopped["streaming_message_ts"] == []
    assert (reaction["type"], reaction["item"]["ts"]) == ("reaction_added", root)
