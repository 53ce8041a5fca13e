"""Menus and buttons, from the playground through Bolt: who may set what, and what they are told."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.conversation.ports import ModelChoice
from bot.conversation.thread import Message, Person, Place, ThreadKey
from bot.conversation.turn import Turn
from bot.slack.blocks import ASK_AGAIN, MODEL_MENU, answer_block_id, button, model_menu
from tests.doubles.slack_side import GEMINI, GEMMA, SlackSide, shown, until
from tests.doubles.workspace import Workspace

ADA, BEN, GIA, GENERAL, DM = "U0ADA", "U0BEN", "U0GIA", "C0GENERAL", "D0ADA"
TEAM = "T0TANDEM"


@pytest.fixture
async def side(workspace: Workspace, side: SlackSide) -> AsyncIterator[SlackSide]:
    async with side.connected(workspace):
        yield side


async def own_thread(side: SlackSide, channel: str, ts: str, place: Place = "channel") -> ThreadKey:
    """Make a thread the bot's own, as the core does."""
    key = ThreadKey(channel, ts)
    turn = Turn(f"{channel}:{ts}", key, ts, TEAM, ADA, TEAM, place)
    await side.mirror.turns.accept(turn, Message(key, ts, "user", "hello", user_id=ADA, turn_id=turn.id))
    side.intake.turns[turn.id] = "hello"
    return key


async def answer_with(side: SlackSide, key: ThreadKey, *elements: dict[str, Any]) -> str:
    """Post an answer that carries a menu or a button."""
    blocks = [{"type": "actions", "block_id": answer_block_id(key), "elements": list(elements)}]
    client = side.connection.client
    posted = await client.chat_postMessage(
        channel=key.channel_id, thread_ts=key.thread_ts, text="an answer", blocks=blocks
    )
    return str(posted["ts"])


def menu() -> dict[str, Any]:
    return model_menu([ModelChoice(e.id, e.label) for e in (GEMMA, GEMINI)], chosen="gemma")


async def test_the_menu_under_an_answer_sets_the_threads_model(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    key = await own_thread(side, GENERAL, root)
    answer = await answer_with(side, key, menu())

    await workspace.click(BEN, GENERAL, answer, MODEL_MENU, option="gemini")

    await shown(workspace, "Gemini 3.8 Flash answers in this thread", user=BEN, channel=GENERAL, thread_ts=root)
    thread = await side.mirror.threads.thread(key)
    assert thread is not None and thread.model_id == "gemini"


async def test_a_menu_that_offers_the_default_takes_the_threads_choice_back(
    workspace: Workspace, side: SlackSide
) -> None:
    await side.mirror.threads.save_person(Person(TEAM, ADA, "Ada", model_id="gemini", fetched_at=time.time()))
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    key = await own_thread(side, GENERAL, root)
    await side.mirror.threads.set_thread_model(key, "gemma")
    answer = await answer_with(side, key, model_menu([ModelChoice("default", "Default")], chosen=""))

    await workspace.click(BEN, GENERAL, answer, MODEL_MENU, option="default")

    words = "so Gemini 3.8 Flash answers here, as chosen by Ada for the threads Ada begins."
    await shown(workspace, words, user=BEN, channel=GENERAL, thread_ts=root)


async def test_a_menu_clicked_by_a_guest_changes_nothing_and_says_why(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    key = await own_thread(side, GENERAL, root)
    answer = await answer_with(side, key, menu())

    await workspace.click(GIA, GENERAL, answer, MODEL_MENU, option="gemini")

    await shown(workspace, "Guests", user=GIA, channel=GENERAL, thread_ts=root)
    thread = await side.mirror.threads.thread(key)
    assert thread is not None and thread.model_id == ""


async def test_a_menu_in_a_vanished_thread_says_so(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "hello")
    answer = await answer_with(side, ThreadKey(GENERAL, root), menu())

    await workspace.click(ADA, GENERAL, answer, MODEL_MENU, option="gemini")

    await shown(workspace, "no longer know", user=ADA, channel=GENERAL, thread_ts=root)


async def test_ask_again_asks_the_same_question_once_more(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    key = await own_thread(side, GENERAL, root)
    value = f"{GENERAL}:{root}:1"
    answer = await answer_with(side, key, button("Try again", action_id=ASK_AGAIN, value=value))

    await workspace.click(BEN, GENERAL, answer, ASK_AGAIN)
    await until(lambda: side.intake.retries)

    assert side.intake.retries == [(f"{GENERAL}:{root}", 1, BEN)]


@pytest.mark.parametrize(
    "value", ["C0PRIVATE:1763000000.000100:1", "nonsense", ":1", "{root}:0", "{root}:1000", "{root}:x"]
)
async def test_a_button_that_names_another_place_asks_nothing(
    workspace: Workspace, side: SlackSide, value: str
) -> None:
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    key = await own_thread(side, GENERAL, root)
    value = value.replace("{root}", f"{GENERAL}:{root}")
    answer = await answer_with(side, key, button("Try again", action_id=ASK_AGAIN, value=value))

    await workspace.click(ADA, GENERAL, answer, ASK_AGAIN)

    await shown(workspace, "no longer know", user=ADA, channel=GENERAL, thread_ts=root)
    assert not side.intake.retries


async def test_a_button_of_a_vanished_thread_says_so(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "hello")
    value = f"{GENERAL}:{root}:1"
    answer = await answer_with(side, ThreadKey(GENERAL, root), button("Try again", action_id=ASK_AGAIN, value=value))

    await workspace.click(ADA, GENERAL, answer, ASK_AGAIN)

    await shown(workspace, "no longer know", user=ADA, channel=GENERAL, thread_ts=root)


async def test_trouble_is_told_with_a_reference_that_the_log_has(
    workspace: Workspace, side: SlackSide, caplog: pytest.LogCaptureFixture
) -> None:
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    key = await own_thread(side, GENERAL, root)
    answer = await answer_with(side, key, button("Try again", action_id=ASK_AGAIN, value=f"{GENERAL}:{root}:1"))
    await until(lambda: len(side.intake.arrivals) == 3)  # the mention twice, and the answer
    side.intake.failures = 1

    await workspace.click(ADA, GENERAL, answer, ASK_AGAIN)

    message = await shown(workspace, "reference", user=ADA, channel=GENERAL, thread_ts=root)
    (record,) = [each for each in caplog.records if each.message == "errand failed"]
    assert record.__dict__["reference"] in message["text"]
    assert record.__dict__["code"] == "store_unavailable"


async def test_an_unknown_button_is_acknowledged(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "@Tandem hello")
    answer = await answer_with(side, ThreadKey(GENERAL, root), button("?", action_id="of_another_version", value="x"))

    await workspace.click(ADA, GENERAL, answer, "of_another_version")  # raises where nobody acknowledges


async def test_opening_the_direct_message_suggests_prompts(workspace: Workspace, side: SlackSide) -> None:
    await workspace.open_home(ADA, "messages")

    async with asyncio.timeout(8):
        while not (calls := await workspace.calls("assistant.threads.setSuggestedPrompts")):
            await asyncio.sleep(0.05)
    assert calls[0]["ok"] and calls[0]["args"]["channel_id"] == DM
    assert [prompt["title"] for prompt in calls[0]["args"]["prompts"]] == ["What can you do?"]


async def test_the_home_tab_shows_ones_own_model_and_changes_it(workspace: Workspace, side: SlackSide) -> None:
    await workspace.open_home(ADA, "home")
    view = (await published(workspace, 1))["view"]
    assert "Gemma 3 12B answers" in str(view)

    home = (await workspace.post("open_home", **{"as": ADA, "tab": "home"}))["view"]
    click = {"as": ADA, "view_id": home["id"], "action_id": MODEL_MENU, "selected_option_value": "gemini"}
    await workspace.post("action", **click)

    await published(workspace, 3)
    person = await side.mirror.threads.person(TEAM, ADA)
    assert person is not None and person.model_id == "gemini"
    last = (await workspace.calls("views.publish"))[-1]["args"]
    assert "answers the threads you start from now on" in str(last["view"])


async def published(workspace: Workspace, count: int) -> dict[str, Any]:
    """What the newest views.publish said, once there are `count` of them."""
    async with asyncio.timeout(8):
        while len(calls := await workspace.calls("views.publish")) < count:
            await asyncio.sleep(0.05)
    assert calls[-1]["ok"] and calls[-1]["args"]["user_id"] == ADA
    return dict(calls[-1]["args"])
