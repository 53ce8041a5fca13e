"""Commands, clicks and modals reach the app as in Slack, and its answers come back under Slack's rules."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.doubles.in_process import ADA, BEN, DM, GENERAL, SECRET, TEAM, InProcess
from tests.doubles.socket_app import SocketApp
from tests.doubles.workspace import Refused

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


OPTIONS = [{"text": plain(name), "value": name.lower()} for name in ("Gemma", "Gemini")]
MENU = {"type": "static_select", "action_id": "model", "options": OPTIONS}
BUTTON = {"type": "button", "action_id": "retry", "text": plain("Try again"), "value": "turn-1"}
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": plain("Good"), "value": "good"},
    "negative_button": {"text": plain("Bad"), "value": "bad"},
}
BLOCKS: list[JSON] = [
    {"type": "actions", "block_id": "footer", "elements": [MENU, BUTTON]},
    {"type": "context_actions", "block_id": "feedback", "elements": [FEEDBACK]},
]


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


@pytest.fixture
async def app(slack: InProcess) -> AsyncIterator[SocketApp]:
    async with SocketApp(slack) as connected:
        yield connected


async def posted(slack: InProcess, blocks: list[JSON] = BLOCKS) -> str:
    """A message of the app in a thread; its ts."""
    root = await slack.ask("root")
    answer = await slack.client.chat_postMessage(channel=GENERAL, thread_ts=root, text="answer", blocks=blocks)
    return str(answer["ts"])


async def payload(app: SocketApp, kind: str) -> JSON:
    """The latest payload of a kind."""
    async with asyncio.timeout(5):
        while True:
            found = [f["payload"] for f in app.frames if kind in (f["type"], f.get("payload", {}).get("type"))]
            if found:
                return dict(found[-1])
            await asyncio.sleep(0.005)


async def test_a_command_arrives_without_a_thread_and_its_answer_is_for_its_user_alone(
    slack: InProcess, app: SocketApp
) -> None:
    app.answer = {"text": "Gemma answers here."}
    await slack.command(ADA, GENERAL, "/model", "gemma @Ben")
    command = await payload(app, "slash_commands")
    assert (command["command"], command["text"], command["user_id"]) == ("/model", "gemma @Ben", ADA)
    assert (command["channel_id"], command["channel_name"], command["team_id"]) == (GENERAL, "general", TEAM)
    assert "thread_ts" not in command
    answer = (await slack.messages(GENERAL, user=ADA))[-1]
    assert answer["text"] == "Gemma answers here." and answer["is_ephemeral"]
    assert await slack.messages(GENERAL, user=BEN) == []


@pytest.mark.parametrize(("channel", "name"), [(SECRET, "privategroup"), (DM, "directmessage")])
async def test_a_command_names_private_places_as_slack_does(
    slack: InProcess, app: SocketApp, channel: str, name: str
) -> None:
    await slack.command(ADA, channel, "/model")
    assert (await payload(app, "slash_commands"))["channel_name"] == name


async def test_a_command_may_answer_in_the_channel(slack: InProcess, app: SocketApp) -> None:
    app.answer = {"text": "All: Gemma", "response_type": "in_channel"}
    await slack.command(ADA, GENERAL, "/model")
    assert (await slack.messages(GENERAL, user=BEN))[-1]["text"] == "All: Gemma"


async def test_commands_are_refused_in_threads_and_when_unknown_or_unheard(slack: InProcess, app: SocketApp) -> None:
    values = {"as": ADA, "channel": GENERAL, "command": "/model"}
    with pytest.raises(Refused, match="not supported in threads"):
        await slack.post("command", **values, thread_ts="1.0")
    with pytest.raises(Refused, match="unknown_command"):
        await slack.command(ADA, GENERAL, "/nonsense")
    with pytest.raises(Refused, match="channel_not_found"):
        await slack.command("U0GIA", SECRET, "/model")
    await slack.trouble(timing={"ack_s": 0.05})
    app.acks = False
    with pytest.raises(Refused, match="operation_timeout"):
        await slack.command(ADA, GENERAL, "/model")


async def test_a_command_without_an_app_is_a_failed_dispatch(slack: InProcess) -> None:
    with pytest.raises(Refused, match="dispatch_failed"):
        await slack.command(ADA, GENERAL, "/model")


async def test_a_menu_says_what_was_chosen_and_where(slack: InProcess, app: SocketApp) -> None:
    ts = await posted(slack)
    await slack.click(BEN, GENERAL, ts, "model", option="gemini")
    click = await payload(app, "block_actions")
    action = click["actions"][0]
    assert (action["type"], action["block_id"]) == ("static_select", "footer")
    assert action["selected_option"]["value"] == "gemini" and "value" not in action
    assert click["state"]["values"]["footer"]["model"]["selected_option"]["value"] == "gemini"
    assert click["user"]["id"] == BEN and click["container"]["message_ts"] == ts
    assert click["message"]["thread_ts"] == click["container"]["thread_ts"] != ts


async def test_a_button_carries_its_value_and_feedback_its_choice(slack: InProcess, app: SocketApp) -> None:
    ts = await posted(slack)
    await slack.click(ADA, GENERAL, ts, "retry")
    assert (await payload(app, "block_actions"))["actions"][0]["value"] == "turn-1"
    await slack.click(ADA, GENERAL, ts, "feedback", value="bad")
    action = (await payload(app, "block_actions"))["actions"][0]
    assert (action["type"], action["value"]) == ("feedback_buttons", "bad")


async def test_what_is_not_there_cannot_be_clicked(slack: InProcess, app: SocketApp) -> None:
    ts = await posted(slack)
    for action, option, code in (("gone", None, "no_such_action"), ("model", "gpt", "no_such_option")):
        with pytest.raises(Refused, match=code):
            await slack.click(ADA, GENERAL, ts, action, option=option)
    with pytest.raises(Refused, match="message_not_found"):
        await slack.click(ADA, GENERAL, "1.000001", "retry")


async def test_a_response_url_works_five_times(slack: InProcess, app: SocketApp) -> None:
    ts = await posted(slack)
    await slack.click(ADA, GENERAL, ts, "retry")
    webhook = AsyncWebhookClient((await payload(app, "block_actions"))["response_url"])
    for n in range(5):
        response = await webhook.send(text=f"answer {n}", response_type="ephemeral")
        assert (response.status_code, response.body) == (200, "ok")
    sixth = await webhook.send(text="one too many")
    assert sixth.status_code == 404 and "used_url" in sixth.body


async def test_a_response_url_replaces_and_deletes_what_was_clicked(slack: InProcess, app: SocketApp) -> None:
    ts = await posted(slack)
    await slack.click(ADA, GENERAL, ts, "retry")
    webhook = AsyncWebhookClient((await payload(app, "block_actions"))["response_url"])
    await webhook.send(text="replaced", replace_original=True)
    message = slack.slack.workspace.message(GENERAL, ts)
    assert message.data["text"] == "replaced" and message.data["blocks"] == []
    await webhook.send(text="", delete_original=True)
    assert ts not in slack.slack.workspace.timeline(GENERAL).messages


async def test_a_response_url_ends_with_its_time_and_refuses_nonsense(slack: InProcess, app: SocketApp) -> None:
    await slack.trouble(timing={"response_url_life_s": 0.05})
    await slack.command(ADA, GENERAL, "/model")
    url = (await payload(app, "slash_commands"))["response_url"]
    async with aiohttp.ClientSession() as http:
        for body, status, error in (("{", 400, "invalid_payload"), ('{"text":""}', 400, "no_text")):
            async with http.post(url, data=body) as response:
                assert (response.status, (await response.json())["error"]) == (status, error)
    await asyncio.sleep(0.1)
    assert "expired_url" in (await AsyncWebhookClient(url).send(text="late")).body


async def test_a_message_shortcut_carries_the_message() -> None:
    shortcuts = ({"type": "message", "callback_id": "switch", "name": "Switch model"},)
    async with InProcess(shortcuts=shortcuts) as slack, SocketApp(slack) as app:
        ts = await posted(slack)
        press = {"as": ADA, "channel": GENERAL, "message_ts": ts}
        await slack.post("shortcut", **press, callback_id="switch")
        action = await payload(app, "message_action")
        assert (action["callback_id"], action["message"]["ts"]) == ("switch", ts)
        with pytest.raises(Refused, match="unknown_shortcut"):
            await slack.post("shortcut", **press, callback_id="none")
