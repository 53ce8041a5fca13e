"""Short ways to ask a Gemma adapter something and to see what came of it."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.conversation.models import Chunk, Prompt, PromptTurn
from bot.conversation.ports import Model
from bot.errors import ModelError
from bot.llm.catalogue import load_catalogue
from bot.llm.gathering import SHARED, Gathering
from bot.llm.gemma import GemmaModel
from tests.doubles.gemma_server import GemmaServer

SPEC = load_catalogue()[0]
QUESTION = Prompt(system="Be brief.", turns=(PromptTurn("user", "Hello?"),))


def model_at(
    server: GemmaServer,
    session: aiohttp.ClientSession,
    *,
    key: str = "",
    gathering: Gathering = SHARED,
    **changes: Any,
) -> GemmaModel:
    spec = replace(SPEC, **{"url": server.url} | changes)
    return GemmaModel(spec, session=session, api_key=key, gathering=gathering)


async def answer_of(model: Model, prompt: Prompt = QUESTION) -> tuple[str, Chunk]:
    """The whole text, and the last chunk."""
    chunks = [chunk async for chunk in model.stream(prompt)]
    return "".join(chunk.text for chunk in chunks), chunks[-1]


async def text_until_error(model: Model) -> tuple[str, ModelError]:
    """What came before the answer broke, and how."""
    text = ""
    with pytest.raises(ModelError) as caught:
        async for chunk in model.stream(QUESTION):
            assert chunk.finish is None, "a broken answer was shown as complete"
            text += chunk.text
    return text, caught.value


def entry_with(**changes: Any) -> dict[str, Any]:
    return {"entry": replace(SPEC.entry, **changes)}
