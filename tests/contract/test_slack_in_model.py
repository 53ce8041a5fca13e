"""/model, from the playground through Bolt: what is shown, set and taken back, for whom, and who is told what."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.conversation.thread import Channel, Person
from bot.slack.blocks import MODEL_MENU
from tests.doubles.slack_side import GEMINI, SlackSide, shown, slack_side
from tests.doubles.workspace import Workspace

ADA, BEN, GIA, GENERAL, DM = "U0ADA", "U0BEN", "U0GIA", "C0GENERAL", "D0ADA"
TEAM = "T0TANDEM"


@pytest.fixture
async def side(workspace: Workspace, side: SlackSide) -> AsyncIterator[SlackSide]:
    async with side.connected(workspace):
        yield side


async def test_model_shows_who_answers_why_and_a_menu(workspace: Workspace, side: SlackSide) -> None:
    await workspace.command(ADA, GENERAL, "/model")

    message = await shown(workspace, "Gemma 3 12B answers here", user=ADA, channel=GENERAL)

    assert "as set for the workspace" in message["text"]
    assert message["blocks"][1]["accessory"]["action_id"] == MODEL_MENU
    assert not [m for m in await workspace.messages(GENERAL, user=BEN) if "answers here" in m["text"]]


async def test_a_channels_model_is_set_by_a_member_and_the_channel_is_told(
    workspace: Workspace, side: SlackSide
) -> None:
    await workspace.command(ADA, GENERAL, "/model", "Gemini")

    await shown(workspace, "Ada chose Gemini 3.8 Flash for this channel", user=BEN, channel=GENERAL)
    channel = await side.mirror.threads.channel(TEAM, GENERAL)
    assert channel is not None and channel.model_id == "gemini"


async def test_a_model_in_a_direct_message_is_ones_own(workspace: Workspace, side: SlackSide) -> None:
    await workspace.command(ADA, DM, "/model", "gemini")

    await shown(workspace, "answers the threads you start", user=ADA, channel=DM)
    person = await side.mirror.threads.person(TEAM, ADA)
    assert person is not None and (person.model_id, person.name) == ("gemini", "Ada")
    await workspace.command(ADA, DM, "/model")
    await shown(workspace, "Gemini 3.8 Flash answers here, as you chose for yourself", user=ADA, channel=DM)


async def test_for_me_in_a_channel_sets_ones_own_and_tells_nobody_else(workspace: Workspace, side: SlackSide) -> None:
    await workspace.command(ADA, GENERAL, "/model", "gemini for me")

    await shown(workspace, "answers the threads you start", user=ADA, channel=GENERAL)
    person, channel = await side.mirror.threads.person(TEAM, ADA), await side.mirror.threads.channel(TEAM, GENERAL)
    assert person is not None and person.model_id == "gemini"
    assert channel is None or channel.model_id == ""
    assert not await workspace.messages(GENERAL, user=BEN)


async def test_a_channels_choice_is_taken_back_and_the_channel_is_told_who_answers_then(
    workspace: Workspace, side: SlackSide
) -> None:
    await side.mirror.threads.save_channel(Channel(TEAM, GENERAL, model_id="gemini", fetched_at=time.time()))

    await workspace.command(ADA, GENERAL, "/model", "default")

    words = "or else by Gemma 3 12B, as set for the workspace"
    message = await shown(workspace, words, user=BEN, channel=GENERAL)
    assert message["text"].startswith("Ada set this channel back to the default")
    channel = await side.mirror.threads.channel(TEAM, GENERAL)
    assert channel is not None and channel.model_id == ""


async def test_where_policy_leaves_nobody_a_choice_taken_back_says_so(workspace: Workspace, tmp_path: Path) -> None:
    async with slack_side(workspace, tmp_path, entries=[GEMINI]) as side, side.connected(workspace):
        channel = Channel(TEAM, GENERAL, model_id="gemini", self_hosted_only=True, fetched_at=time.time())
        await side.mirror.threads.save_channel(channel)

        await workspace.command(ADA, GENERAL, "/model", "default")

        await shown(workspace, "Gemini 3.8 Flash may not answer here", user=ADA, channel=GENERAL)


async def test_ones_own_choice_is_taken_back(workspace: Workspace, side: SlackSide) -> None:
    await workspace.command(ADA, DM, "/model", "gemini")
    await shown(workspace, "answers the threads you start", user=ADA, channel=DM)

    await workspace.command(ADA, GENERAL, "/model", "default for me")

    words = "You have no model of your own now, so Gemma 3 12B answers the threads you start, as set for the workspace."
    await shown(workspace, words, user=ADA, channel=GENERAL)
    person = await side.mirror.threads.person(TEAM, ADA)
    assert person is not None and person.model_id == ""


@pytest.mark.parametrize(
    ("channel", "words", "told"),
    [
        (
            Channel(TEAM, GENERAL, model_id="gemma"),
            "gemini for me",
            "Gemini 3.8 Flash answers the threads you start from now on, but in this channel Gemma 3 12B answers, "
            "as chosen for this channel.",
        ),
        (
            Channel(TEAM, GENERAL, self_hosted_only=True),
            "gemini for me",
            "Gemini 3.8 Flash answers the threads you start from now on, but in this channel Gemma 3 12B answers, "
            "as this channel keeps its words on the team's own models.",
        ),
        (
            Channel(TEAM, GENERAL, model_id="gemini"),
            "default for me",
            "You have no model of your own now, so Gemma 3 12B answers the threads you start, as set for the workspace"
            "; but in this channel Gemini 3.8 Flash answers, as chosen for this channel.",
        ),
        (
            Channel(TEAM, GENERAL, model_id="gemini"),
            "gemini for me",
            "Gemini 3.8 Flash answers the threads you start from now on.",
        ),
    ],
)
async def test_who_chooses_for_themselves_is_told_who_answers_in_this_channel_all_the_same(
    workspace: Workspace, side: SlackSide, channel: Channel, words: str, told: str
) -> None:
    await side.mirror.threads.save_channel(channel)

    await workspace.command(ADA, GENERAL, "/model", words)

    assert (await shown(workspace, "the threads you start", user=ADA, channel=GENERAL))["text"] == told


async def test_one_who_chooses_for_themselves_where_nobody_may_answer_is_told_so(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with slack_side(workspace, tmp_path, entries=[GEMINI]) as side, side.connected(workspace):
        await side.mirror.threads.save_channel(Channel(TEAM, GENERAL, self_hosted_only=True))

        await workspace.command(ADA, GENERAL, "/model", "gemini for me")

        words = "from now on. This channel keeps its words on the team's own models, so Gemini 3.8 Flash may not"
        await shown(workspace, words, user=ADA, channel=GENERAL)


async def test_an_unknown_name_lists_the_known_ones_and_is_not_live(workspace: Workspace, side: SlackSide) -> None:
    await workspace.command(ADA, GENERAL, "/model", "<!channel> claude")

    message = await shown(workspace, "claude", user=ADA, channel=GENERAL)

    assert "`gemma` (Gemma 3 12B), `gemini` (Gemini 3.8 Flash)" in message["text"]
    assert not message["_"]["live"]


@pytest.mark.parametrize(
    ("user", "channel", "words"),
    [(GIA, GENERAL, "Guests"), (GIA, "D0GIA", "Guests")],
)
async def test_guests_set_nothing(workspace: Workspace, side: SlackSide, user: str, channel: str, words: str) -> None:
    await workspace.command(user, channel, "/model", "gemini")

    await shown(workspace, words, user=user, channel=channel)
    person, stored = await side.mirror.threads.person(TEAM, user), await side.mirror.threads.channel(TEAM, channel)
    assert person is None or person.model_id == ""
    assert stored is None or stored.model_id == ""


async def test_the_menu_of_the_command_sets_what_the_command_would(workspace: Workspace, side: SlackSide) -> None:
    await workspace.command(ADA, GENERAL, "/model")
    message = await shown(workspace, "answers here", user=ADA, channel=GENERAL)

    await workspace.click(ADA, GENERAL, message["ts"], MODEL_MENU, option="gemini")

    await shown(workspace, "Ada chose Gemini 3.8 Flash for this channel", user=BEN, channel=GENERAL)


@pytest.mark.parametrize(
    ("words", "label", "preselected"),
    [("", "Choose for this channel:", "gemma"), ("for me", "Choose for you:", "gemini")],
)
async def test_a_menu_says_for_whom_it_chooses_and_shows_what_they_have_chosen(
    workspace: Workspace, side: SlackSide, words: str, label: str, preselected: str
) -> None:
    await side.mirror.threads.save_channel(Channel(TEAM, GENERAL, model_id="gemma"))
    await side.mirror.threads.save_person(Person(TEAM, ADA, model_id="gemini"))

    await workspace.command(ADA, GENERAL, "/model", words)

    message = await shown(workspace, "Gemma 3 12B answers here, as chosen for this channel", user=ADA, channel=GENERAL)
    menu = message["blocks"][1]
    assert (menu["text"]["text"], menu["accessory"]["initial_option"]["value"]) == (label, preselected)


async def test_the_menu_for_a_channel_does_not_show_ones_own_model_as_the_channels(
    workspace: Workspace, side: SlackSide
) -> None:
    await side.mirror.threads.save_person(Person(TEAM, ADA, model_id="gemini"))

    await workspace.command(ADA, GENERAL, "/model")

    message = await shown(workspace, "Gemini 3.8 Flash answers here, as you chose", user=ADA, channel=GENERAL)
    assert message["blocks"][1]["accessory"]["initial_option"]["value"] == "gemma"


async def test_a_chosen_model_that_is_gone_is_named(workspace: Workspace, side: SlackSide) -> None:
    await side.mirror.threads.save_channel(Channel(TEAM, GENERAL, model_id="claude", fetched_at=1.0))

    await workspace.command(ADA, GENERAL, "/model")

    message = await shown(workspace, "no longer exists", user=ADA, channel=GENERAL)
    assert "claude" in message["text"] and "Gemma 3 12B" in message["text"]


async def test_a_channel_of_the_teams_own_models_offers_and_takes_no_other(
    workspace: Workspace, side: SlackSide
) -> None:
    await side.mirror.threads.save_channel(Channel(TEAM, GENERAL, self_hosted_only=True, fetched_at=time.time()))

    await workspace.command(ADA, GENERAL, "/model")
    message = await shown(workspace, "answers here", user=ADA, channel=GENERAL)
    assert "gemini" not in str(message["blocks"])

    await workspace.command(ADA, GENERAL, "/model", "gemini")
    await shown(workspace, "the team's own models", user=ADA, channel=GENERAL)
    channel = await side.mirror.threads.channel(TEAM, GENERAL)
    assert channel is not None and channel.model_id == "" and channel.self_hosted_only
