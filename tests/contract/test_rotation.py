"""Secrets change while the bot runs: it uses the new one from then on, and keeps the old where the new is no good."""

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bot.errors import ModelMisconfigured, SlackRejected, SlackUnavailable
from bot.llm.gemma import GemmaModel, Key
from bot.rooms import SlackDoor
from bot.rotation import Rotation
from bot.slack.authorize import authorization, who_we_are
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.client import SlackConnection
from bot.slack.http import OLD_SECRET_S, HttpEvents
from bot.slack.socket_client import SteadyClient
from tests.contract.test_slack_in_http import signed
from tests.doubles.asking import SPEC, answer_of
from tests.doubles.gemma_server import gemma_server
from tests.doubles.in_process import ADA, DM, InProcess
from tests.doubles.slack_side import all_acked, slack_side, until
from tests.doubles.workspace import BOT_TOKEN

NEW_BOT, NEW_APP = "xoxb-renewed", "xapp-renewed"


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        await running.trouble(timing={"retry_delays_s": [0.1, 0.5, 3.0, 3.0]})
        yield running


@pytest.fixture
async def door(slack: InProcess) -> AsyncIterator[SlackDoor]:
    async with SlackConnection(BOT_TOKEN, base_url=slack.api_url) as connection:
        calls = SlackCalls(connection.client, Budget(None))
        yield SlackDoor(connection, calls, await who_we_are(calls))


def renew(slack: InProcess, **credentials: str) -> None:
    """What a person does on the app's page: from now on only these count."""
    slack.slack.credentials = dataclasses.replace(slack.slack.credentials, **credentials)


async def test_calls_and_listeners_use_the_new_bot_token(slack: InProcess, door: SlackDoor) -> None:
    authorize = authorization(door.us, lambda: door.connection.client.token or "")
    renew(slack, bot_token=NEW_BOT)

    await door.renew(NEW_BOT)

    await door.calls.call("chat.postMessage", channel=DM, text="still here")
    assert (await authorize()).bot_token == NEW_BOT


async def test_a_bot_token_that_slack_refuses_is_not_taken(slack: InProcess, door: SlackDoor) -> None:
    with pytest.raises(SlackRejected):
        await door.renew("xoxb-typo")

    await door.calls.call("chat.postMessage", channel=DM, text="still here")


async def test_a_bot_token_of_another_app_is_not_taken(slack: InProcess, door: SlackDoor) -> None:
    stranger = dataclasses.replace(door, us=dataclasses.replace(door.us, team_id="T0ELSEWHERE"))

    with pytest.raises(SlackRejected, match="another workspace's"):
        await stranger.renew(BOT_TOKEN)


async def test_the_socket_connects_anew_with_the_new_app_token(slack: InProcess, tmp_path: Path) -> None:
    async with slack_side(slack, tmp_path) as side, side.connected(slack) as socket:
        renew(slack, app_token=NEW_APP)
        await socket.renew(NEW_APP)
        await until(lambda: len(list(slack.slack.record.calls("apps.connections.open"))) == 2)
        await slack.disconnect("drop")
        await slack.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)

    assert len(side.intake.turns) == 1


async def test_while_a_new_app_token_connects_the_old_connection_listens(
    slack: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async with slack_side(slack, tmp_path) as side, side.connected(slack) as socket:
        monkeypatch.setattr(SteadyClient, "connect_to_new_endpoint", hang)
        renew(slack, app_token=NEW_APP)
        await socket.renew(NEW_APP)
        await slack.say(ADA, DM, "hello")
        (delivery,) = await all_acked(slack, 1)

    assert len(delivery["attempts"]) == len(side.intake.turns) == 1


async def test_a_renewal_that_is_cancelled_leaves_nothing_behind(slack: InProcess, tmp_path: Path) -> None:
    async with slack_side(slack, tmp_path) as side, side.connected(slack) as socket:
        before = asyncio.all_tasks()
        await slack.trouble(latency_ms={"apps.connections.open": 2_000})
        renewing = asyncio.create_task(socket.renew(NEW_APP))
        await asyncio.sleep(0.2)

        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)

        await until(lambda: asyncio.all_tasks() <= before)


async def test_an_app_token_that_slack_refuses_leaves_the_connection_as_it_is(slack: InProcess, tmp_path: Path) -> None:
    async with slack_side(slack, tmp_path) as side, side.connected(slack) as socket:
        with pytest.raises(SlackRejected):
            await socket.renew("xapp-typo")
        await slack.disconnect("drop")
        await slack.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)

    assert len(side.intake.turns) == 1


async def test_both_signing_secrets_count_for_a_while_and_then_the_new_one_alone(
    slack: InProcess, tmp_path: Path
) -> None:
    now = time.time()
    async with slack_side(slack, tmp_path) as side:
        events = HttpEvents(side.app, "old", now=lambda: now)
        await events.renew("new")

        def accepts(secret: str) -> bool:
            return events.is_signed(b"{}", CIMultiDictProxy(CIMultiDict(signed(b"{}", at=now, secret=secret))))

        assert [accepts(secret) for secret in ("old", "new", "other", "")] == [True, True, False, False]
        now += OLD_SECRET_S
        assert [accepts(secret) for secret in ("old", "new", "other", "")] == [False, True, False, False]


async def test_the_next_question_shows_gemmas_new_key() -> None:
    async with gemma_server(key="old") as server, aiohttp.ClientSession() as session:
        key = Key("old")
        model = GemmaModel(dataclasses.replace(SPEC, url=server.url), session=session, api_key=key)
        await answer_of(model)
        server.key = "new"
        with pytest.raises(ModelMisconfigured):
            await answer_of(model)

        await key.renew("new")

        text, _ = await answer_of(model)
        assert text


class Watched:
    """A file, and who takes what is written to it; looks happen when a test asks for one."""

    def __init__(self, path: Path, refusals: list[Exception]) -> None:
        self.path = path
        self.taken: list[str] = []
        self._refusals = refusals
        self._looked = asyncio.Event()
        self._go = asyncio.Event()
        path.write_text("first\n")
        self.rotation = Rotation({"TOKEN": path}, {"TOKEN": "first"}, {"TOKEN": self._take}, pause=self._pause)

    async def _take(self, value: str) -> None:
        if self._refusals:
            raise self._refusals.pop(0)
        self.taken.append(value)

    async def _pause(self, _: float) -> None:
        self._looked.set()
        await self._go.wait()
        self._go.clear()

    async def look(self) -> None:
        """Let it look once more, and wait until it has."""
        self._looked.clear()
        self._go.set()
        await self._looked.wait()


async def watched(tmp_path: Path, *refusals: Exception) -> AsyncIterator[Watched]:
    file = Watched(tmp_path / "token", list(refusals))
    running = asyncio.create_task(file.rotation.run())
    await file._looked.wait()
    yield file
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_value_is_handed_over_once_however_often_its_file_is_written(tmp_path: Path) -> None:
    async for file in watched(tmp_path):
        file.path.write_text("second\n")
        await file.look()
        file.path.write_text("second")
        await file.look()

        assert file.taken == ["second"]


async def test_a_file_that_is_swapped_by_its_link_is_followed(tmp_path: Path) -> None:
    """As Kubernetes and its CSI drivers do it: the link to the directory of all files becomes another one, at once."""
    for version in ("..1", "..2"):
        (tmp_path / version).mkdir()
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "token").symlink_to("..data/token")
    async for file in watched(tmp_path):
        (tmp_path / "..2/token").write_text("second")
        (tmp_path / "..new").symlink_to("..2")
        (tmp_path / "..new").rename(tmp_path / "..data")
        await file.look()

        assert file.taken == ["second"]


async def test_a_file_that_is_away_or_empty_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async for file in watched(tmp_path):
        file.path.unlink()
        await file.look()
        file.path.write_text("")
        await file.look()

        assert file.taken == []
        assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_what_could_not_be_tried_is_tried_again_and_what_was_refused_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away, refused = SlackUnavailable("auth.test: timeout"), SlackRejected("auth.test", "invalid_auth")
    async for file in watched(tmp_path, away, away, refused):
        file.path.write_text("a-secret-typo")
        for _ in range(5):
            await file.look()
        file.path.write_text("a-secret-value")
        await file.look()

        assert file.taken == ["a-secret-value"]
        said = [record.levelname for record in caplog.records if record.name == "tandem.rotation"]
        assert said == ["WARNING", "ERROR"]
        assert "a-secret" not in json.dumps([vars(record) for record in caplog.records], default=str)


async def test_a_change_between_start_and_the_first_look_is_seen(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("second")
    taken: list[str] = []

    async def take(value: str) -> None:
        taken.append(value)

    rotation = Rotation({"TOKEN": tmp_path / "token"}, {"TOKEN": "first"}, {"TOKEN": take})
    running = asyncio.create_task(rotation.run())
    await until(lambda: taken)
    running.cancel()

    assert taken == ["second"]
