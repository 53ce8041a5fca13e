"""Modals and App Home in the playground open, change, stack and close as in Slack."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.in_process import ADA, BEN, GENERAL, InProcess, refusal
from tests.doubles.socket_app import SocketApp
from tests.doubles.workspace import Refused

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


OPTIONS = [{"text": plain(name), "value": name.lower()} for name in ("Gemma", "Gemini")]
MENU = {"type": "static_select", "action_id": "model", "options": OPTIONS}
NAME = {
    "type": "input",
    "block_id": "name",
    "label": plain("Name"),
    "element": {"type": "plain_text_input", "action_id": "v"},
}


def modal(title: str = "Settings", **more: Any) -> JSON:
    return {"type": "modal", "title": plain(title), "submit": plain("Save"), "blocks": [NAME], **more}


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


@pytest.fixture
async def app(slack: InProcess) -> AsyncIterator[SocketApp]:
    async with SocketApp(slack) as connected:
        yield connected


async def payload(app: SocketApp, kind: str) -> JSON:
    """The latest payload of a kind."""
    async with asyncio.timeout(5):
        while True:
            found = [f["payload"] for f in app.frames if kind in (f["type"], f.get("payload", {}).get("type"))]
            if found:
                return dict(found[-1])
            await asyncio.sleep(0.005)


async def opened(slack: InProcess, app: SocketApp, **more: Any) -> JSON:
    """A modal opened by a command."""
    await slack.command(ADA, GENERAL, "/model")
    trigger = (await payload(app, "slash_commands"))["trigger_id"]
    return dict((await slack.client.views_open(trigger_id=trigger, view=modal(**more)))["view"])


async def test_a_trigger_opens_one_view_and_soon(slack: InProcess, app: SocketApp) -> None:
    await slack.trouble(timing={"trigger_life_s": 0.2})
    await slack.command(ADA, GENERAL, "/model")
    trigger = (await payload(app, "slash_commands"))["trigger_id"]
    open_ = slack.client.views_open
    await open_(trigger_id=trigger, view=modal())
    assert await refusal(open_(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    assert await refusal(open_(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    app.frames.clear()
    await slack.command(ADA, GENERAL, "/model")
    trigger = (await payload(app, "slash_commands"))["trigger_id"]
    await asyncio.sleep(0.3)
    assert await refusal(open_(trigger_id=trigger, view=modal())) == "expired_trigger_id"


async def test_a_modal_is_submitted_with_what_was_filled_in(slack: InProcess, app: SocketApp) -> None:
    view = await opened(slack, app, callback_id="settings", private_metadata="C1")
    await slack.post("view_submit", **{"as": ADA, "view_id": view["id"], "values": {"name": {"v": "Gemma"}}})
    submitted = (await payload(app, "view_submission"))["view"]
    assert submitted["state"]["values"] == {"name": {"v": {"type": "plain_text_input", "value": "Gemma"}}}
    assert (submitted["callback_id"], submitted["private_metadata"]) == ("settings", "C1")
    with pytest.raises(Refused, match="not_found"):
        await slack.post("view_submit", **{"as": ADA, "view_id": view["id"], "values": {}})


async def test_a_modal_may_answer_with_errors_or_another_view(slack: InProcess, app: SocketApp) -> None:
    view = await opened(slack, app)
    submit = {"as": ADA, "view_id": view["id"], "values": {"name": {"v": "?"}}}
    app.answer = {"response_action": "errors", "errors": {"name": "Unknown model"}}
    assert (await slack.post("view_submit", **submit))["errors"] == {"name": "Unknown model"}
    app.answer = {"response_action": "update", "view": modal("Second")}
    assert (await slack.post("view_submit", **submit))["view"]["title"]["text"] == "Second"
    app.answer = {"response_action": "push", "view": modal("Third")}
    third = (await slack.post("view_submit", **submit))["view"]
    assert third["previous_view_id"] == view["id"] == third["root_view_id"]
    app.answer = {"response_action": "clear"}
    await slack.post("view_submit", **{**submit, "view_id": third["id"]})
    assert slack.slack.views.stack(ADA) == []


async def test_views_stack_three_deep_and_update_under_their_hash(slack: InProcess, app: SocketApp) -> None:
    view = await opened(slack, app, external_id="one")
    client = slack.client

    async def push() -> Any:
        app.frames.clear()
        await slack.command(ADA, GENERAL, "/model")
        trigger = (await payload(app, "slash_commands"))["trigger_id"]
        return await client.views_push(trigger_id=trigger, view=modal())

    await push()
    await push()
    assert await refusal(push()) == "push_limit_reached"
    changed = await client.views_update(view_id=view["id"], view=modal("New"), hash=view["hash"])
    assert changed["view"]["title"]["text"] == "New"
    stale = client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])
    assert await refusal(stale) == "hash_conflict"
    assert await refusal(client.views_update(view_id="V0", view=modal())) == "not_found"


@pytest.mark.parametrize(
    ("view", "error"),
    [
        ({"type": "modal", "blocks": []}, "invalid_arguments"),
        (modal("x" * 25), "invalid_arguments"),
        (modal(private_metadata="x" * 3001), "invalid_arguments"),
        ({**modal(), "blocks": [{"type": "divider"}] * 101}, "invalid_blocks"),
        ({**modal(), "blocks": [{"type": "markdown", "text": "no"}]}, "invalid_blocks"),
        (modal(extra="x" * 250_000), "view_too_large"),
    ],
)
async def test_a_view_beyond_slacks_limits_is_refused(slack: InProcess, app: SocketApp, view: JSON, error: str) -> None:
    await slack.command(ADA, GENERAL, "/model")
    trigger = (await payload(app, "slash_commands"))["trigger_id"]
    assert await refusal(slack.client.views_open(trigger_id=trigger, view=view)) == error


async def test_an_action_inside_a_modal_carries_the_view(slack: InProcess, app: SocketApp) -> None:
    choose = {"type": "actions", "block_id": "choose", "elements": [MENU]}
    await slack.command(ADA, GENERAL, "/model")
    trigger = (await payload(app, "slash_commands"))["trigger_id"]
    view = (await slack.client.views_open(trigger_id=trigger, view=modal() | {"blocks": [choose, NAME]}))["view"]
    action = {"action_id": "model", "block_id": "choose", "selected_option_value": "gemma"}
    await slack.post("action", **{"as": ADA, "view_id": view["id"], **action})
    click = await payload(app, "block_actions")
    assert click["container"] == {"type": "view", "view_id": view["id"]}
    assert click["view"]["state"]["values"]["choose"]["model"]["selected_option"]["value"] == "gemma"
    await slack.post("view_submit", **{"as": ADA, "view_id": view["id"], "values": {"name": {"v": "a"}}})
    values = (await payload(app, "view_submission"))["view"]["state"]["values"]
    assert values["choose"]["model"]["selected_option"]["value"] == "gemma" and values["name"]["v"]["value"] == "a"


async def test_closing_a_modal_is_told_to_who_asked(slack: InProcess, app: SocketApp) -> None:
    view = await opened(slack, app, notify_on_close=True)
    await slack.post("view_close", **{"as": ADA, "view_id": view["id"]})
    assert (await payload(app, "view_closed"))["view"]["id"] == view["id"]


async def test_app_home_is_published_for_one_person(slack: InProcess) -> None:
    home = {"type": "home", "blocks": [{"type": "section", "text": plain("Hello")}]}
    view = (await slack.client.views_publish(user_id=ADA, view=home))["view"]
    opened_ = await slack.post("open_home", **{"as": ADA, "tab": "home"})
    assert opened_["view"]["id"] == view["id"]
    stale = slack.client.views_publish(user_id=ADA, view=home, hash="0.0")
    assert await refusal(stale) == "hash_conflict"
    assert (await slack.post("open_home", **{"as": BEN, "tab": "home"}))["view"] is None


async def test_app_home_needs_its_tab() -> None:
    async with InProcess(home_tab=False) as slack:
        call = slack.client.views_publish(user_id=ADA, view={"type": "home", "blocks": []})
        assert await refusal(call) == "not_enabled"
