"""The stand-in for Google in, Gemini as the bot would ask it out: by a key, or in a project."""

from dataclasses import replace
from typing import Any

import aiohttp

from bot.llm.catalogue import load_catalogue
from bot.llm.gemini import GeminiAccess, GeminiModel
from tests.doubles.gemini_server import GeminiServer

SPEC = next(spec for spec in load_catalogue() if spec.entry.id == "gemini")


def by_key(server: GeminiServer, session: aiohttp.ClientSession, *, key: str = "a-key", **changes: Any) -> GeminiModel:
    access = GeminiAccess(api_key=key, gemini_base_url=server.url)
    return GeminiModel(replace(SPEC, **changes), access, session=session)


def by_project(
    server: GeminiServer, session: aiohttp.ClientSession, *, location: str = "global", **changes: Any
) -> GeminiModel:
    access = GeminiAccess(project="a-project", location=location, vertex_base_url=server.url)
    return GeminiModel(replace(SPEC, **changes), access, session=session)
