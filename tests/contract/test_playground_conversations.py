"""Group messages, titles and the parsing of text in the playground are Slack's."""

from collections.abc import AsyncIterator

import pytest

from tests.doubles.in_process import ADA, BEN, BOT, DM, GENERAL, GIA, InProcess, refusal
from tests.doubles.workspace import Refused


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def test_a_group_message_is_opened_once_for_the_same_people(slack: InProcess) -> None:
    first = await slack.client.conversations_open(users=[ADA, BEN], return_im=True)
    channel = first["channel"]["id"]
    assert channel.startswith("G") and first["channel"]["is_mpim"] and "already_open" not in first.data
    again = await slack.client.conversations_open(users=[BEN, ADA])
    assert again["channel"] == {"id": channel} and again["already_open"]
    assert (await slack.client.conversations_members(channel=channel))["members"] == [ADA, BEN, BOT]
    await slack.say(BEN, channel, "@Tandem hello")
    await slack.client.chat_postMessage(channel=channel, text="Hello, you two")
    assert [message["text"] for message in await slack.messages(channel, user=ADA)][-1] == "Hello, you two"
    with pytest.raises(Refused, match="channel_not_found"):
        await slack.say(GIA, channel, "and me?")


async def test_opening_a_conversation_refuses_what_slack_refuses(slack: InProcess) -> None:
    open_ = slack.client.conversations_open
    assert (await open_(users=ADA))["channel"]["id"] == DM
    assert await refusal(open_(users="")) == "users_list_not_supplied"
    assert await refusal(open_(users="U0NOBODY")) == "user_not_found"
    assert await refusal(open_(users=BOT)) == "cannot_dm_bot"
    assert await refusal(open_(users=[f"U{n}" for n in range(9)])) == "too_many_users"
    assert await refusal(open_(channel="C0NOWHERE")) == "channel_not_found"


@pytest.mark.parametrize(("granted", "users"), [("mpim:write", ADA), ("im:write", f"{ADA},{BEN}")])
async def test_each_kind_of_direct_message_needs_its_scope(granted: str, users: str) -> None:
    async with InProcess(scopes=frozenset({granted})) as slack:
        assert await refusal(slack.client.conversations_open(users=users)) == "missing_scope"


LABELLED = "see <https://a.example|here> and <@U0BEN>"


async def test_an_update_makes_labelled_links_words_unless_told_otherwise(slack: InProcess) -> None:
    ts = (await slack.client.chat_postMessage(channel=GENERAL, text=LABELLED))["ts"]
    assert slack.slack.workspace.message(GENERAL, ts).data["text"] == LABELLED
    await slack.client.chat_update(channel=GENERAL, ts=ts, text=LABELLED)
    escaped = "see &lt;https://a.example|here&gt; and <@U0BEN>"
    assert slack.slack.workspace.message(GENERAL, ts).data["text"] == escaped
    await slack.client.chat_update(channel=GENERAL, ts=ts, text=LABELLED, parse="none")
    assert slack.slack.workspace.message(GENERAL, ts).data["text"] == LABELLED


async def test_bare_names_become_live_only_when_the_app_asks_for_it(slack: InProcess) -> None:
    async def posted(**more: object) -> tuple[str, list[str]]:
        answer = await slack.client.api_call(
            "chat.postMessage", json={"channel": GENERAL, "text": "@channel @Ben", **more}
        )
        live = slack.slack.workspace.message(GENERAL, answer["ts"]).live
        return answer["message"]["text"], [entity["value"] for entity in live]

    assert await posted() == ("@channel @Ben", [])
    for asked in ({"link_names": True}, {"parse": "full"}):
        assert await posted(**asked) == ("<!channel> <@U0BEN>", ["channel", BEN])
    call = slack.client.chat_postMessage(channel=GENERAL, text="x", parse="all")
    assert await refusal(call) == "invalid_arguments"


async def test_a_new_title_is_heard_with_the_one_before(slack: InProcess) -> None:
    root = await slack.ask()
    titles = {"as": ADA, "channel": GENERAL, "thread_ts": root}
    with pytest.raises(Refused, match="session_not_found"):
        await slack.post("rename_session", **titles, title="Too early")
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="active", title="First")
    await slack.post("rename_session", **titles, title="Second")
    event = (await slack.deliveries())[-1]["payload"]["event"]
    assert (event["type"], event["thread_ts"], event["user"]) == ("agent_session_title_changed", root, ADA)
    assert (event["previous_title"], event["title"]) == ("First", "Second")
    assert (await slack.status(GENERAL, root))["title"] == "Second"


async def test_an_archived_channel_takes_nothing(slack: InProcess) -> None:
    slack.slack.roster.channels[GENERAL].is_archived = True
    assert await refusal(slack.client.chat_postMessage(channel=GENERAL, text="x")) == "is_archived"


async def test_without_its_messages_tab_an_app_has_no_direct_messages() -> None:
    async with InProcess(messages_tab=False) as slack:
        assert await refusal(slack.client.chat_postMessage(channel=DM, text="x")) == "messages_tab_disabled"


async def test_a_status_may_have_another_name_but_not_slacks(slack: InProcess) -> None:
    root = await slack.ask()
    set_status = slack.client.assistant_threads_setStatus
    call = set_status(channel_id=GENERAL, thread_ts=root, status="x", username="slackbot")
    assert await refusal(call) == "reserved_username"
    lines = [f"line {n}" for n in range(11)]
    call = set_status(channel_id=GENERAL, thread_ts=root, status="x", loading_messages=lines)
    assert await refusal(call) == "invalid_arguments"
    await set_status(channel_id=GENERAL, thread_ts=root, status="x", username="Gemma", loading_messages=lines[:10])
