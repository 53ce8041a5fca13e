"""The playground's messages are Slack's: what is posted, changed, read back, and refused."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.doubles.in_process import ADA, BEN, BOT, DM, GENERAL, QUIET, SECRET, InProcess, refusal


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_auth_test_names_the_bot_and_its_scopes(slack: InProcess) -> None:
    answer = await slack.client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (BOT, "B0BOT", "T0TANDEM")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_wrong_or_missing_token_is_refused(slack: InProcess) -> None:
    assert await refusal(slack.client_with("xoxb-wrong").auth_test()) == "invalid_auth"
    assert await refusal(slack.client_with().auth_test()) == "not_allowed_token_type"
    assert await refusal(slack.client.apps_connections_open(app_token="xoxb-playground")) == "not_allowed_token_type"
    async with aiohttp.ClientSession() as http, http.post(f"{slack.api_url}auth.test") as response:
        assert (await response.json())["error"] == "not_authed"


async def test_an_unknown_method_is_refused_by_name(slack: InProcess) -> None:
    assert await refusal(slack.client.api_call("chat.shout")) == "unknown_method"


async def test_a_missing_scope_is_named_with_what_was_granted() -> None:
    async with InProcess(scopes=frozenset({"channels:history", "users:read"})) as slack:
        call = slack.client.api_call("chat.postMessage", json={"channel": GENERAL, "text": "hi"})
        assert await refusal(call) == "missing_scope"
        answer = (await slack.calls("chat.postMessage"))[-1]
        assert answer["error"] == "missing_scope"
        headers = {"Authorization": "Bearer xoxb-playground"}
        url = f"{slack.api_url}chat.postMessage"
        async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json={}) as response:
            body = await response.json()
        assert (body["needed"], body["provided"]) == ("chat:write", "channels:history,users:read")


async def test_reading_a_private_channel_needs_the_scope_for_private_channels() -> None:
    async with InProcess(scopes=frozenset({"channels:history"})) as slack:
        await slack.client.conversations_history(channel=GENERAL)
        assert await refusal(slack.client.conversations_history(channel=SECRET)) == "missing_scope"


async def test_the_app_posts_only_where_it_is_a_member(slack: InProcess) -> None:
    assert await refusal(slack.client.chat_postMessage(channel=QUIET, text="hi")) == "not_in_channel"
    assert await refusal(slack.client.chat_postMessage(channel="C0NOWHERE", text="hi")) == "channel_not_found"
    slack.slack.roster.channels[SECRET].members.remove(BOT)
    assert await refusal(slack.client.chat_postMessage(channel=SECRET, text="hi")) == "channel_not_found"


async def test_a_post_comes_back_as_slack_stores_it(slack: InProcess) -> None:
    root = await slack.ask()
    metadata = {"event_type": "turn", "event_payload": {"id": "1"}}
    answer = await slack.client.chat_postMessage(
        channel=GENERAL, thread_ts=root, text="fallback", blocks=[section("*hi*")], metadata=metadata
    )
    thread = await slack.client.conversations_replies(channel=GENERAL, ts=root, include_all_metadata=True)
    reply = thread["messages"][1]
    assert reply["ts"] == answer["ts"] and reply["thread_ts"] == root and reply["parent_user_id"] == ADA
    assert (reply["user"], reply["bot_id"], reply["app_id"]) == (BOT, "B0BOT", "A0TANDEM")
    assert reply["metadata"] == metadata and reply["blocks"][0]["text"]["text"] == "*hi*"
    plain = await slack.client.conversations_replies(channel=GENERAL, ts=root)
    assert "metadata" not in plain["messages"][1]


async def test_a_form_body_holds_structures_as_json_strings(slack: InProcess) -> None:
    form = {"channel": GENERAL, "text": "x", "blocks": '[{"type":"divider"}]', "token": "xoxb-playground"}
    async with aiohttp.ClientSession() as http, http.post(f"{slack.api_url}chat.postMessage", data=form) as response:
        body = await response.json()
    assert body["ok"] and body["message"]["blocks"][0]["type"] == "divider"
    assert "token" not in (await slack.calls("chat.postMessage"))[0]["args"]


async def test_an_update_replaces_what_it_names(slack: InProcess) -> None:
    metadata = {"event_type": "turn", "event_payload": {}}
    ts = (await slack.client.chat_postMessage(channel=GENERAL, text="a", blocks=[section("a")], metadata=metadata))[
        "ts"
    ]
    await slack.client.chat_update(channel=GENERAL, ts=ts, text="b")
    message = slack.slack.workspace.message(GENERAL, ts).data
    assert (message["text"], message["blocks"], message["metadata"]) == ("b", [], metadata)
    await slack.client.api_call(
        "chat.update", json={"channel": GENERAL, "ts": ts, "markdown_text": "**c**", "metadata": {}}
    )
    message = slack.slack.workspace.message(GENERAL, ts).data
    assert message["blocks"][0] == {"type": "markdown", "block_id": "b00", "text": "**c**"}
    assert "metadata" not in message and "attachments" not in message and message["edited"]["user"] == BOT


async def test_a_thread_is_paged_with_its_root_first_on_every_page(slack: InProcess) -> None:
    root = await slack.ask()
    replies = [await slack.say(BEN, GENERAL, f"reply {n}", root) for n in range(7)]
    seen: list[str] = []
    cursor, pages = "", 0
    while True:
        page = await slack.client.conversations_replies(channel=GENERAL, ts=root, limit=3, cursor=cursor)
        assert page["messages"][0]["ts"] == root and page["messages"][0]["reply_count"] == 7
        seen += [message["ts"] for message in page["messages"][1:]]
        pages += 1
        if not page["has_more"]:
            break
        cursor = page["response_metadata"]["next_cursor"]
    assert seen == replies and pages == 3


async def test_even_pages_of_one_reach_the_end_of_a_thread(slack: InProcess) -> None:
    root = await slack.ask()
    replies = [await slack.say(BEN, GENERAL, f"reply {n}", root) for n in range(3)]
    pages = await slack.client.conversations_replies(channel=GENERAL, ts=root, limit=1)
    assert [message["ts"] async for page in pages for message in page["messages"][1:]] == replies


async def test_replies_are_found_by_time(slack: InProcess) -> None:
    root = await slack.ask()
    first, second, third = [await slack.say(BEN, GENERAL, f"reply {n}", root) for n in range(3)]
    after = await slack.client.conversations_replies(channel=GENERAL, ts=root, oldest=first)
    assert [message["ts"] for message in after["messages"]] == [root, second, third]
    upto = await slack.client.conversations_replies(channel=GENERAL, ts=root, latest=second, inclusive=True)
    assert [message["ts"] for message in upto["messages"]] == [root, first, second]


async def test_reading_refuses_what_is_not_there(slack: InProcess) -> None:
    replies, history = slack.client.conversations_replies, slack.client.conversations_history
    root = await slack.ask()
    assert await refusal(replies(channel=GENERAL, ts="1.000001")) == "thread_not_found"
    assert await refusal(replies(channel=GENERAL, ts=root, cursor="bad")) == "invalid_cursor"
    assert await refusal(replies(channel="C0NOWHERE", ts=root)) == "channel_not_found"
    assert await refusal(history(channel=QUIET)) == "not_in_channel"
    assert await refusal(history(channel=GENERAL, limit=5000)) == "invalid_limit"
    assert await refusal(history(channel=GENERAL, oldest="yesterday")) == "invalid_ts_oldest"


async def test_history_is_newest_first_and_holds_roots_and_broadcasts_only(slack: InProcess) -> None:
    root = await slack.ask()
    await slack.say(BEN, GENERAL, "in the thread", root)
    loud = await slack.say(BEN, GENERAL, "for all", root, broadcast=True)
    second = await slack.ask("another")
    history = await slack.client.conversations_history(channel=GENERAL)
    assert [message["ts"] for message in history["messages"]] == [second, loud, root]
    assert history["messages"][1]["subtype"] == "thread_broadcast"


async def test_a_deleted_root_leaves_a_tombstone_only_when_it_has_replies(slack: InProcess) -> None:
    alone, root = await slack.ask("alone"), await slack.ask("root")
    reply = await slack.say(BEN, GENERAL, "reply", root)
    await slack.delete(ADA, GENERAL, alone)
    await slack.delete(ADA, GENERAL, root)
    thread = (await slack.client.conversations_replies(channel=GENERAL, ts=root))["messages"]
    assert thread[0]["subtype"] == "tombstone" and [message["ts"] for message in thread] == [root, reply]
    assert await refusal(slack.client.conversations_replies(channel=GENERAL, ts=alone)) == "thread_not_found"


async def test_an_ephemeral_message_is_seen_by_one_person(slack: InProcess) -> None:
    root = await slack.ask()
    await slack.client.chat_postEphemeral(channel=GENERAL, user=BEN, text="psst", thread_ts=root)
    assert [m["text"] for m in await slack.messages(GENERAL, root, user=BEN)][1:] == ["psst"]
    assert len(await slack.messages(GENERAL, root, user=ADA)) == 1
    assert len((await slack.client.conversations_replies(channel=GENERAL, ts=root))["messages"]) == 1
    slack.slack.roster.channels[GENERAL].members.remove(BEN)
    call = slack.client.chat_postEphemeral(channel=GENERAL, user=BEN, text="psst")
    assert await refusal(call) == "user_not_in_channel"


async def test_people_and_channels_are_described_as_slack_does(slack: InProcess) -> None:
    guest = (await slack.client.users_info(user="U0EVE"))["user"]
    assert guest["is_ultra_restricted"] and guest["profile"]["display_name"] == "Eve"
    assert await refusal(slack.client.users_info(user="U0NOBODY")) == "user_not_found"
    general = (await slack.client.conversations_info(channel=GENERAL))["channel"]
    assert general["is_member"] and not general["is_private"] and general["name"] == "general"
    dm = (await slack.client.conversations_open(users=ADA))["channel"]["id"]
    assert dm == DM and (await slack.client.conversations_info(channel=DM))["channel"]["user"] == ADA
    listed = await slack.client.conversations_list(types="public_channel,private_channel")
    assert [channel["id"] for channel in listed["channels"]] == [GENERAL, SECRET, QUIET]
    members = await slack.client.conversations_members(channel=SECRET)
    assert members["members"] == [ADA, BEN, BOT]
    assert (await slack.client.bots_info(bot="B0BOT"))["bot"]["app_id"] == "A0TANDEM"
    assert (await slack.client.team_info())["team"]["id"] == "T0TANDEM"


async def test_posting_to_a_person_reaches_their_direct_message(slack: InProcess) -> None:
    assert (await slack.client.chat_postMessage(channel=ADA, text="hi"))["channel"] == DM


async def test_a_permalink_names_channel_message_and_thread(slack: InProcess) -> None:
    root = await slack.ask()
    reply = await slack.say(BEN, GENERAL, "reply", root)
    link = (await slack.client.chat_getPermalink(channel=GENERAL, message_ts=reply))["permalink"]
    assert link.endswith(f"/archives/{GENERAL}/p{reply.replace('.', '')}?thread_ts={root}&cid={GENERAL}")


async def test_reactions_are_counted_once_for_each_person(slack: InProcess) -> None:
    root = await slack.ask()
    await slack.client.reactions_add(channel=GENERAL, timestamp=root, name="eyes")
    await slack.react(BEN, GENERAL, root, "eyes")
    again = slack.client.reactions_add(channel=GENERAL, timestamp=root, name="eyes")
    assert await refusal(again) == "already_reacted"
    message = (await slack.client.reactions_get(channel=GENERAL, timestamp=root))["message"]
    assert message["reactions"] == [{"name": "eyes", "users": [BOT, BEN], "count": 2}]
    await slack.client.reactions_remove(channel=GENERAL, timestamp=root, name="eyes")
    gone = slack.client.reactions_remove(channel=GENERAL, timestamp=root, name="eyes")
    assert await refusal(gone) == "no_reaction"
    assert await refusal(slack.client.reactions_add(channel=GENERAL, timestamp=root, name="E y")) == "invalid_name"


async def test_what_is_live_in_a_post_is_recorded(slack: InProcess) -> None:
    text = "<!channel> <@U0BEN> <https://evil.example|click> and https://bare.example, `https://code.example`"
    loud = await slack.client.chat_postMessage(channel=GENERAL, text=text)
    calm = await slack.client.chat_postMessage(channel=GENERAL, text=text, unfurl_links=False, unfurl_media=False)
    shown = {message["ts"]: message["_"] for message in await slack.messages(GENERAL)}
    kinds = [(entity["kind"], entity["value"]) for entity in shown[loud["ts"]]["live"]]
    assert kinds == [
        ("broadcast", "channel"),
        ("user", "U0BEN"),
        ("link", "https://evil.example"),
        ("bare_link", "https://bare.example,"),
    ]
    assert shown[loud["ts"]]["unfurls"] and not shown[calm["ts"]]["unfurls"]


async def test_what_was_once_live_stays_on_record(slack: InProcess) -> None:
    ts = (await slack.client.chat_postMessage(channel=GENERAL, text="<!here>"))["ts"]
    await slack.client.chat_update(channel=GENERAL, ts=ts, text="&lt;!here&gt; @here <not a tag>")
    facts = (await slack.messages(GENERAL))[-1]["_"]
    assert facts["live"] == [] and [entity["value"] for entity in facts["was_live"]] == ["here"]
