"""Only models that are configured are built, under names that say who answers."""

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.conversation.ports import Model
from bot.errors import ConfigError
from bot.llm.build import GeminiAccess, GemmaAccess, build_models, names
from bot.llm.catalogue import ModelSpec, load_catalogue, parse_catalogue

SPECS = load_catalogue()
TWO = parse_catalogue(
    """
    [[model]]
    id = "near"
    label = "Near"
    provider = "gemma"
    where = "self-hosted"
    context_tokens = 1000
    answer_tokens = 100
    url = "http://near:8000"
    stand_in = "demo"
    [[model]]
    id = "far"
    label = "Far"
    aliases = ["Away"]
    provider = "gemma"
    family = "gemma4"
    dialect = "chat"
    where = "self-hosted"
    context_tokens = 1000
    answer_tokens = 100
    stand_in = "near"
    [[model]]
    id = "demo"
    label = "Demo"
    provider = "demo"
    where = "built-in"
    context_tokens = 1000
    answer_tokens = 100
    """,
    "two.toml",
)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def built(session: aiohttp.ClientSession, specs: tuple[ModelSpec, ...] = SPECS, **access: Any) -> dict[str, Model]:
    given: dict[str, Any] = {"gemma": None, "gemini": None, "include_demo": False} | access
    return build_models(specs, session=session, **given)


async def test_nothing_is_built_that_is_not_configured(session: aiohttp.ClientSession) -> None:
    assert built(session) == {}
    assert list(built(session, include_demo=True)) == ["demo"]
    assert list(built(session, gemma=GemmaAccess(url="http://gemma"))) == ["gemma"]
    assert list(built(session, gemini=GeminiAccess(api_key="k"))) == ["gemini", "gemini-lite"]


async def test_a_stand_in_that_is_not_configured_is_dropped(session: aiohttp.ClientSession) -> None:
    models = built(session, TWO)

    assert {model.entry.id: model.entry.stand_in for model in models.values()} == {"near": ""}


async def test_the_environment_configures_the_first_entry_of_its_kind(session: aiohttp.ClientSession) -> None:
    models = built(session, TWO, gemma=GemmaAccess(url="http://other", model="org/gemma-3-4b-it"), include_demo=True)

    assert {id: model.entry.label for id, model in models.items()} == {"near": "gemma-3-4b-it", "demo": "Demo"}
    assert models["near"].entry.stand_in == "demo"


async def test_another_gemini_answers_under_its_own_name(session: aiohttp.ClientSession) -> None:
    labels = [model.entry.label for model in built(session, gemini=GeminiAccess(model="gemini-4-argon")).values()]

    assert labels == ["gemini-4-argon", "Gemini 3.5 Flash-Lite"]


async def test_a_dialect_that_cannot_take_the_prompts_is_refused(session: aiohttp.ClientSession) -> None:
    codelab = parse_catalogue(
        '[[model]]\nid="a"\nlabel="A"\nprovider="gemma"\nwhere="self-hosted"\nfamily="codelab"\n'
        "context_tokens=9\nanswer_tokens=1",
        "x",
    )

    with pytest.raises(ConfigError, match="GEMMA_DIALECT is 'chat', but family 'codelab'"):
        built(session, codelab, gemma=GemmaAccess(url="http://gemma", dialect="chat"))


def test_people_may_type_ids_labels_and_aliases() -> None:
    assert names(TWO) == {"near": "near", "far": "far", "away": "far", "demo": "demo"}
    assert names(SPECS)["gemini 3.8 flash"] == "gemini"


def test_googles_library_is_not_loaded_by_who_does_not_use_it() -> None:
    program = "import sys, bot.llm.build; sys.exit('google.genai' in sys.modules or 'google.auth' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
