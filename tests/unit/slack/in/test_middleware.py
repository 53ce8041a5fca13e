"""An event is acknowledged once its fate is known, and not before; what is no event of ours is acknowledged too."""

import asyncio
import copy
import json
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation.choice import Chooser
from bot.conversation.models import ModelEntry
from bot.slack.authorize import Identity
from bot.slack.bolt import build_app
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.dispatch import dispatch
from bot.slack.errands import Errands
from bot.slack.events import EventReader
from bot.slack.listeners import Tools
from bot.slack.model_panel import ModelPanel
from bot.store import open_mirror
from tests.doubles.core import People
from tests.doubles.payloads import names, payload, spoiled
from tests.doubles.recording_intake import RecordingIntake

US = Identity(team_id="T0TANDEM", user_id="U0BOT", bot_id="B0BOT")
GEMMA = ModelEntry("gemma", "Gemma", "self-hosted", context_tokens=8192, answer_tokens=1024)


@pytest.fixture
def intake() -> RecordingIntake:
    return RecordingIntake()


@pytest.fixture
async def app(intake: RecordingIntake, tmp_path: Path) -> AsyncIterator[AsyncApp]:
    """The real app of Bolt's. Nobody is behind its client; what listeners answer has nowhere to go."""
    mirror, people, errands = await open_mirror(f"sqlite:///{tmp_path / 'tandem.db'}"), People(), Errands()
    client = AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:9/", retry_handlers=[])
    chooser = Chooser([GEMMA], "gemma", threads=mirror.threads, directory=people)
    async with aiohttp.ClientSession() as session:
        tools = Tools(
            us=US,
            intake=intake,
            panel=ModelPanel(chooser, people, US),
            calls=SlackCalls(client, Budget(None)),
            session=session,
            errands=errands,
        )
        reader = EventReader(US, name_of=lambda _: "")
        yield build_app(client, reader, tools, accept_s=0.05)
        await errands.close(within_s=1.0)
    await mirror.close()


async def status(app: AsyncApp, body: Any, **headers: str) -> int:
    answer = await dispatch(app, body, headers, mode="socket_mode")
    return int(answer.status)


@pytest.mark.parametrize("name", names())
async def test_every_payload_is_acknowledged(app: AsyncApp, name: str) -> None:
    assert await status(app, payload(name)) == 200


async def test_a_store_that_is_away_or_slow_means_no_ack(app: AsyncApp, intake: RecordingIntake) -> None:
    intake.failures = 1
    assert await status(app, payload("app_mention")) == 503
    intake.takes_s = 5.0
    assert await status(app, payload("app_mention")) == 503
    intake.takes_s = 0.0
    assert await status(app, payload("app_mention"), **{"x-slack-retry-num": "2"}) == 200
    assert len(intake.turns) == 1


async def test_no_word_of_a_message_reaches_the_log(
    app: AsyncApp, intake: RecordingIntake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    intake.failures = 1
    for name in ("app_mention", "app_mention", "message_changed", "message_im", "bot_message", "reaction_added"):
        await status(app, payload(name), **{"x-slack-retry-num": "1"})

    lines = json.dumps([{**vars(record), "said": record.getMessage()} for record in caplog.records], default=str)
    for word in ("hello", "the page", "build 7 passed"):
        assert word not in lines
    events = [record.__dict__ for record in caplog.records if record.name == "tandem.slack.events"]
    assert [record["fate"] for record in events] == [
        "ignored",
        "accepted",
        "mirrored",
        "accepted",
        "ignored",
        "ignored",
    ]
    assert events[0]["reason"] == "not_stored_store_unavailable"
    assert all(record["event_id"] and record["retry"] == "1" and record["ms"] >= 0 for record in events)


async def test_another_teams_command_is_refused_in_words(app: AsyncApp) -> None:
    body = payload("command_model") | {"team_id": "T0PARTNER"}

    answer = await dispatch(app, body, {}, mode="socket_mode")

    assert (answer.status, answer.body) == (200, "This Tandem works for another workspace.")


async def test_an_unknown_command_is_answered_in_words(app: AsyncApp) -> None:
    answer = await dispatch(app, payload("command_model") | {"command": "/modle"}, {}, mode="socket_mode")

    assert "I do not know this command" in answer.body


async def test_the_environment_of_other_slack_apps_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, intake: RecordingIntake, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_VERIFICATION_TOKEN"):
        monkeypatch.setenv(name, "of-another-app")
    client = AsyncWebClient(token="xoxb-ours", base_url="http://127.0.0.1:9/")
    people = People()
    chooser = Chooser([GEMMA], "gemma", threads=None, directory=people)  # type: ignore[arg-type]  # never asked here
    async with aiohttp.ClientSession() as session:
        tools = Tools(
            us=US,
            intake=intake,
            panel=ModelPanel(chooser, people, US),
            calls=SlackCalls(client, Budget(None)),
            session=session,
            errands=Errands(),
        )
        app = build_app(client, EventReader(US, name_of=lambda _: ""), tools)

        assert await status(app, payload("app_mention")) == 200
    assert len(intake.turns) == 1
    assert not [record for record in caplog.records if "token" in record.getMessage()]


async def test_no_payload_makes_the_app_fail(app: AsyncApp, rng: random.Random) -> None:
    failed = {}
    for name in names():
        for _ in range(40):
            body = spoiled(payload(name), rng)
            sent = copy.deepcopy(body)
            async with asyncio.timeout(10):
                answer = await status(app, body)
            if answer not in (200, 400):
                failed[name] = (answer, sent)

    assert not failed
