"""A bot alone on its SQLite file is killed in a turn and started again: one whole answer, in one message."""

import asyncio
from pathlib import Path

import pytest

from bot.failpoints import EXIT_CODE
from tests.doubles.gemma_server import gemma_server, says
from tests.doubles.lone_bot import LoneBot, lone_bot
from tests.doubles.tandem import serving
from tests.e2e.conftest import free_port, shown

WORDS = [f"word{number} " for number in range(20)]
PLACES = (("U0ADA", "D0ADA"), ("U0ADA", "C0GENERAL"))
WHOLE = [["".join(WORDS)]] * len(PLACES)


async def answers(bot: LoneBot, roots: list[str]) -> list[list[str]]:
    """What each thread shows of the bot, a text for each message."""
    threads = [(channel, root) for (_, channel), root in zip(PLACES, roots, strict=True)]
    return [[shown([each]) for each in (await bot.workspace.messages(*thread))[1:]] for thread in threads]


@pytest.mark.parametrize("point", ["after_accept", "after_opening", "mid_stream:9", "after_delivering"])
async def test_a_bot_that_was_killed_finishes_its_answers_when_it_is_started_again(tmp_path: Path, point: str) -> None:
    armed = {"TANDEM_LEASE_S": "1", "TANDEM_FAILPOINT": point}
    async with gemma_server() as gemma, lone_bot(tmp_path, gemma.url, **armed) as bot:
        gemma.standing = says(WORDS, pause_s=0.1)
        await bot.workspace.trouble(timing={"retry_delays_s": [0.5] * 200})
        roots = [await bot.workspace.say(user, channel, "@Tandem hello") for user, channel in PLACES]
        async with asyncio.timeout(60):
            code = await bot.tandem.process.wait()
        environment = {**bot.environment, "PORT": str(free_port()), "TANDEM_FAILPOINT": ""}
        async with serving(environment, tmp_path / "next.log"):
            async with asyncio.timeout(60):
                while await answers(bot, roots) != WHOLE:
                    await asyncio.sleep(0.1)
            await asyncio.sleep(2.0)  # in which a second answer would show
            in_the_end = await answers(bot, roots)

    assert code == EXIT_CODE
    assert in_the_end == WHOLE
