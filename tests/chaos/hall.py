"""Questions to some real bots on one store in; whether each has its one whole answer in Slack and mirror out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.conversation.thread import ThreadKey
from bot.conversation.turn import Turn, turn_id
from bot.failpoints import EXIT_CODE
from bot.store import Mirror
from tests.chaos.fleet import SETTLE_DELAYS_S, Fleet, deployed
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.gemma_server import GemmaServer, gemma_server, says
from tests.doubles.tandem import Tandem
from tests.e2e.conftest import shown

LEASE_S = 2.0
RECOVERY_S = 2 * LEASE_S + 5 + sum(SETTLE_DELAYS_S)
WORDS = ["Said:", *(f" word{n}" for n in range(24))]
ANSWER = "".join(WORDS)
PAUSE_S = 0.04  # between two words
PLACES = {"native": "D0ADA", "edit": "C0GENERAL"}
MOST_ROUNDS = 10  # Slack chooses a socket by chance; after so many the armed process has surely had a question


@dataclass(slots=True)
class Hall:
    """One deployment for all tests of a file: bots come and go, the questions stay."""

    fleet: Fleet
    mirror: Mirror
    gemma: GemmaServer
    questions: list[tuple[str, str]] = field(default_factory=list)  # channel, ts

    async def ask(self, channel: str) -> tuple[str, str]:
        """One more question, in a thread of its own."""
        number = len(self.questions)
        ts = await self.fleet.workspace.say("U0ADA", channel, f"@Tandem question {number}")
        self.questions.append((channel, ts))
        return channel, ts

    async def turn(self, channel: str, ts: str) -> Turn | None:
        """The turn that a message asks, if anybody has heard of it."""
        return await self.mirror.turns.turn(turn_id(channel, ts))

    async def answers(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """The messages in the question's thread."""
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

    async def settled(self, since: int = 0, within_s: float = RECOVERY_S) -> None:
        """Every question has its one answer: in Slack and in the mirror, whole, in one message."""
        for asked in self.questions[since:]:
            async with asyncio.timeout(within_s):
                while not await self.is_over(*asked):
                    await asyncio.sleep(0.1)
            answers = await self.answers(*asked)
            mirrored = await self.mirror.threads.messages(ThreadKey(*asked))
            turn = await self.mirror.turns.turn(f"{asked[0]}:{asked[1]}")

            assert [shown([message]) for message in answers] == [ANSWER]
            assert [message.text for message in mirrored[1:]] == [ANSWER]
            assert turn is not None and turn.state == "answered"


@asynccontextmanager
async def open_hall(path: Path, emulator: FirestoreEmulator, lease_s: float = LEASE_S) -> AsyncIterator[Hall]:
    """A playground, a database and a model, and no bot yet."""
    async with gemma_server() as gemma:
        gemma.standing = says(WORDS, pause_s=PAUSE_S)
        async with deployed(path, emulator, gemma.url, lease_s=lease_s) as fleet:
            mirror = await fleet.mirror()
            try:
                yield Hall(fleet, mirror, gemma)
            finally:
                await mirror.close()
