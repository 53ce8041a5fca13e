"""The mirror's window for developers: what it shows, and where it may be opened."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.errors import ConfigError
from bot.inspection import Inspection
from tests.doubles.core import Core, core
from tests.doubles.sayings import CHANNEL, ROOT_TS, arrival


async def shown(bot: Core, **query: str) -> Any:
    app = web.Application()
    app.router.add_get("/inspect", Inspection(bot.mirror.turns, bot.mirror.threads, host="127.0.0.1").show)
    async with TestClient(TestServer(app)) as client:
        return await (await client.get("/inspect", params=query)).json()


async def running(bot: Core) -> Any:
    app = web.Application()
    app.router.add_get("/inspect/tasks", Inspection(bot.mirror.turns, bot.mirror.threads, host="127.0.0.1").tasks)
    async with TestClient(TestServer(app)) as client:
        return (await (await client.get("/inspect/tasks")).json())["tasks"]


async def test_a_thread_is_shown_as_the_mirror_holds_it(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()

        body = await shown(bot, channel=CHANNEL, thread_ts=ROOT_TS)

        assert [(m["role"], m["text"]) for m in body["messages"]] == [("user", "hi"), ("model", "Hello.")]
        assert body["thread"]["key"] == f"{CHANNEL}:{ROOT_TS}" and body["open_turns"] == []


async def test_a_thread_that_is_not_ours_is_empty(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        assert (await shown(bot, channel=CHANNEL, thread_ts="1.0"))["thread"] is None


async def test_a_process_with_nothing_to_do_runs_the_same_tasks_as_before(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        idle = await running(bot)
        await bot.intake.message(arrival("hi", mentions_us=True))
        busy = await running(bot)
        await bot.settled()

        assert busy != idle and await running(bot) == idle


async def test_a_question_without_a_thread_is_told_what_is_missing(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        assert (await shown(bot, channel=CHANNEL))["error"] == "channel and thread_ts are needed"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "bot.example", "::"])  # noqa: S104 - refused
async def test_it_is_never_opened_where_others_could_look_in(tmp_path: Path, host: str) -> None:
    async with core(tmp_path) as bot:
        with pytest.raises(ConfigError, match="HOST must be"):
            Inspection(bot.mirror.turns, bot.mirror.threads, host=host)
