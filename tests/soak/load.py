"""Questions in as fast as they are answered, each answer checked; how many turns are over out."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.doubles.gemma_server import GemmaServer, says, stream, text_event
from tests.doubles.workspace import Refused, Workspace
from tests.e2e.conftest import shown

TURNS_A_THREAD = 4
CUT_EVERY, CUT_AFTER = 50, 10
PATIENCE_S = 30.0
PLACES = (("U0ADA", "C0GENERAL"), ("U0ADA", "D0ADA"), ("U0BEN", "C0GENERAL"), ("U0BEN", "D0BEN"))
_TOKEN = re.compile(r"\bq\d+\b")


def answer_to(token: str) -> list[str]:
    """What the model says to a question, piece by piece; every fiftieth answer breaks off."""
    pieces = [f"{token}: ", *(f"word{number} " for number in range(20)), "end."]
    return pieces[:CUT_AFTER] if is_cut(token) else pieces


def is_cut(token: str) -> bool:
    """Whether the model's stream breaks in the middle of this answer."""
    return int(token[1:]) % CUT_EVERY == CUT_EVERY - 1


class Quick(GemmaServer):
    """A Gemma that answers the last question of its prompt at once, and keeps nothing of it."""

    def __init__(self) -> None:
        super().__init__(context=32_768)

    async def next_answer(self, request: web.Request) -> web.StreamResponse:
        """Answer with the question's token."""
        body: Any = self.requests.pop().body
        token = _TOKEN.findall(body["prompt"])[-1]
        said = answer_to(token)
        self.script(stream(*map(text_event, said), ending="cut") if is_cut(token) else says(said))
        return await super().next_answer(request)


@dataclass(slots=True)
class Load:
    """So many turns, `at_once` of them under way. `wrong` says of each answer that was not as it should be."""

    workspace: Workspace
    turns: int
    at_once: int
    asked: int = 0
    over: int = 0
    wrong: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """All of them."""
        async with asyncio.TaskGroup() as people:
            for number in range(self.at_once):
                people.create_task(self._ask(*PLACES[number % len(PLACES)]))

    async def _ask(self, user: str, channel: str) -> None:
        root = ""
        while (number := self.asked) < self.turns:
            self.asked += 1
            if number % TURNS_A_THREAD == 0:
                root = ""
            token = f"q{number}"
            ts = await self.workspace.say(user, channel, f"@Tandem {token}?", root or None)
            root = root or ts
            await self._read(token, channel, root, ts)
            self.over += 1

    async def _read(self, token: str, channel: str, root: str, ts: str) -> None:
        expected, text = "".join(answer_to(token)), ""
        with suppress(TimeoutError, Refused):
            async with asyncio.timeout(PATIENCE_S):
                while text != expected:  # an answer that nobody is at work on for a moment may yet grow
                    text = shown(await self.workspace.reply(channel, root, ts, PATIENCE_S, settle_s=0.05))
        if text != expected:
            self.wrong.append(f"{token} was answered with {text!r}")
