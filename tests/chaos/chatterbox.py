"""A prompt in, an answer out that says which question it answers and the how-manieth it is; some break off."""

import random
import re
import time
from typing import Any

from aiohttp import web

from tests.chaos.history import Said
from tests.doubles.gemma_server import DONE, GemmaServer, stream, text_event, usage_event
from tests.doubles.wire import Answer

TOKEN = re.compile(r"\bq\d+\b")
PAUSE_S = 0.12  # between two words
FEWEST_WORDS, MOST_WORDS = 15, 75


class Chatterbox(GemmaServer):
    """A Gemma that answers the last question of its prompt. `said` is all that it was asked for."""

    def __init__(self, seed: int, *, cut: float) -> None:
        super().__init__(context=32_768)
        self.said: list[Said] = []
        self.cuts = 0
        self._cut = cut
        self._seed = seed
        self._asked: dict[str, int] = {}

    async def next_answer(self, request: web.Request) -> web.StreamResponse:
        """Answer, and note whether it came to the end."""
        token = TOKEN.findall(_words(self.requests.pop().body))[-1]
        number = self._asked[token] = self._asked.get(token, 0) + 1
        answer, text = self._compose(token, number)
        self.script(answer)
        self.cuts += answer.ending == "cut"
        at, whole = time.time(), False
        try:
            response = await super().next_answer(request)
            whole = answer.ending == "whole"
            return response
        finally:
            self.said.append(Said(token=token, text=text, at=at, whole=whole))

    def _compose(self, token: str, number: int) -> tuple[Answer, str]:
        chance = random.Random(f"{self._seed} {token} {number}")
        count = chance.randint(FEWEST_WORDS, MOST_WORDS)
        words = [f"{token} answer {number}:", *(f" word{n}" for n in range(count)), " end."]
        pieces = [*map(text_event, words)]
        if chance.random() < self._cut:
            return stream(*pieces[: chance.randint(3, count)], pause_s=PAUSE_S, ending="cut"), "".join(words)
        return stream(*pieces, text_event("", "stop"), usage_event(14, count), DONE, pause_s=PAUSE_S), "".join(words)


def _words(body: Any) -> str:
    return str(body.get("prompt") or body["messages"])
