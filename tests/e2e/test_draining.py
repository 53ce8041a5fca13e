"""SIGTERM to a real bot in the middle of an answer: what it says of itself, what it finishes, and what it leaves."""

import asyncio
import signal
from pathlib import Path

import aiohttp

from tests.doubles.gemma_server import gemma_server, says
from tests.doubles.lone_bot import LoneBot, lone_bot
from tests.doubles.tandem import serving
from tests.e2e.conftest import free_port, shown

WORDS = [f"word{number} " for number in range(15)]
USER, CHANNEL = "U0ADA", "C0GENERAL"


async def ready(bot: LoneBot) -> int:
    """What /readyz says."""
    async with aiohttp.ClientSession(trust_env=False) as http, http.get(f"{bot.tandem.url}/readyz") as answer:
        return answer.status


async def test_on_sigterm_it_is_not_ready_at_once_finishes_what_runs_takes_nothing_new_and_ends_well(
    tmp_path: Path,
) -> None:
    async with gemma_server() as gemma, lone_bot(tmp_path, gemma.url) as bot:
        await bot.workspace.trouble(timing={"retry_delays_s": [0.5] * 200})
        gemma.standing = says(WORDS, pause_s=0.1)
        running = await bot.workspace.say(USER, CHANNEL, "@Tandem before")
        async with asyncio.timeout(10):
            await gemma.answering.wait()
        bot.tandem.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        said_so = await ready(bot)
        later = await bot.workspace.say(USER, CHANNEL, "@Tandem after")
        finished = await bot.answers(CHANNEL, running, timeout_s=60)
        code = await bot.tandem.process.wait()
        untouched = (await bot.workspace.messages(CHANNEL, later))[1:]

        environment = {**bot.environment, "PORT": str(free_port())}
        async with serving(environment, tmp_path / "next.log"):
            answered = await bot.answers(CHANNEL, later, timeout_s=60)

    assert said_so == 503 and code == 0
    assert [shown([message]) for message in finished] == ["".join(WORDS)]
    assert untouched == []
    assert [shown([message]) for message in answered] == ["".join(WORDS)]
    assert len(gemma.requests) == 2
