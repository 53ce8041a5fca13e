"""A process dies at each point between two steps of a turn: the question ends in one answer, in one message."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.conversation.thread import ThreadKey
from bot.failpoints import EXIT_CODE, POINTS
from bot.store import Mirror
from tests.chaos.fleet import SETTLE_DELAYS_S, Fleet, deployed
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.gemma_server import gemma_server, says
from tests.doubles.tandem import Tandem
from tests.e2e.conftest import shown

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

LEASE_S = 2.0
WORDS = ["Said:", *(f" word{n}" for n in range(24))]
ANSWER = "".join(WORDS)
PLACES = {"native": "D0ADA", "edit": "C0GENERAL"}
SPOKEN = 12  # pieces of text: by then some of it is shown
MOST_ROUNDS = 10  # Slack chooses a socket by chance; after so many the armed process has surely had a question


@dataclass(slots=True)
class Hall:
    """One deployment for all failpoints: a bot that lives, and one after another that dies."""

    fleet: Fleet
    mirror: Mirror
    questions: list[tuple[str, str]] = field(default_factory=list)  # channel, ts

    async def ask(self, channel: str) -> tuple[str, str]:
        number = len(self.questions)
        ts = await self.fleet.workspace.say("U0ADA", channel, f"@Tandem question {number}")
        self.questions.append((channel, ts))
        return channel, ts

    async def answers(self, channel: str, ts: str) -> list[dict[str, Any]]:
        return (await self.fleet.workspace.messages(channel, ts))[1:]

    async def is_over(self, channel: str, ts: str) -> bool:
        """Whether all of the answer is there, and nobody is at work any more."""
        if shown(await self.answers(channel, ts)) != ANSWER:
            return False
        if await self.mirror.turns.open_turns(ThreadKey(channel, ts)):
            return False
        status = await self.fleet.workspace.status(channel, ts)
        return status["status"] != "processing" and not status["text"]

    async def fell(self, bot: Tandem, channel: str) -> bool:
        """Ask until that process dies; False where it outlives all questions."""
        for _ in range(MOST_ROUNDS):
            asked = [await self.ask(channel) for _ in range(2)]
            async with asyncio.timeout(30):
                while bot.process.returncode is None and not all([await self.is_over(*each) for each in asked]):
                    await asyncio.sleep(0.05)
            if bot.process.returncode is not None:
                self.fleet.bots.remove(bot)
                return bot.process.returncode == EXIT_CODE
        return False

    async def settled(self, since: int = 0) -> None:
        """Every question has its one answer: in Slack and in the mirror, whole, in one message."""
        for asked in self.questions[since:]:
            async with asyncio.timeout(2 * LEASE_S + 5 + sum(SETTLE_DELAYS_S)):
                while not await self.is_over(*asked):
                    await asyncio.sleep(0.1)
            answers = await self.answers(*asked)
            mirrored = await self.mirror.threads.messages(ThreadKey(*asked))
            turn = await self.mirror.turns.turn(f"{asked[0]}:{asked[1]}")

            assert [shown([message]) for message in answers] == [ANSWER]
            assert [message.text for message in mirrored[1:]] == [ANSWER]
            assert turn is not None and turn.state == "answered"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory, emulator: FirestoreEmulator) -> AsyncIterator[Hall]:
    path: Path = tmp_path_factory.mktemp("failpoints")
    async with gemma_server() as gemma:
        gemma.standing = says(WORDS, pause_s=0.04)
        async with deployed(path, emulator, gemma.url, lease_s=LEASE_S) as fleet:
            mirror = await fleet.mirror()
            try:
                yield Hall(fleet, mirror)
            finally:
                await mirror.close()


@pytest.mark.parametrize("mode", PLACES)
@pytest.mark.parametrize("point", POINTS)
async def test_whoever_dies_at_a_point_leaves_its_question_to_the_other_process(
    hall: Hall, point: str, mode: str
) -> None:
    if not hall.fleet.bots:
        await hall.fleet.start()
    since = len(hall.questions)
    doomed = await hall.fleet.start(TANDEM_FAILPOINT=f"{point}:{SPOKEN}" if point == "mid_stream" else point)

    assert await hall.fell(doomed, PLACES[mode])
    await hall.settled(since)


@pytest.mark.parametrize("mode", PLACES)
async def test_a_process_that_dies_alone_finishes_its_question_when_it_is_started_again(hall: Hall, mode: str) -> None:
    for bot in list(hall.fleet.bots):
        assert await hall.fleet.end(bot) == 0
    since = len(hall.questions)
    doomed = await hall.fleet.start(TANDEM_FAILPOINT="after_opening")

    assert await hall.fell(doomed, PLACES[mode])
    await hall.fleet.start()
    await hall.settled(since)


async def test_nothing_was_doubled_later(hall: Hall) -> None:
    assert hall.questions
    await asyncio.sleep(2 * LEASE_S)
    await hall.settled()
