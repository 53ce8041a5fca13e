"""The settings in, one line for each thing that must work out: `✓` it does, `✗` it does not and what to do."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import aiohttp

from bot.commands.manifest import bot_scopes
from bot.commands.sentences import missing_scope, sentence
from bot.config import Settings, load_settings, unknown_variables
from bot.conversation.mirror import Signal
from bot.conversation.ports import Model
from bot.conversation.thread import ThreadKey
from bot.errors import BotError, ConfigError, SlackUnavailable, StoreUnavailable
from bot.llm.build import GemmaAccess, build_models
from bot.llm.catalogue import load_catalogue
from bot.llm.gemini import GeminiAccess
from bot.slack.client import SlackConnection
from bot.slack.errors import FOREIGN, translated
from bot.store import open_mirror

PATIENCE_S = 60.0  # a model that is loading may need as long for its first word


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: everything is a setting."""


def run(arguments: argparse.Namespace) -> int:
    """Check everything; 0 when all of it works, else 1."""
    return asyncio.run(_examine())


async def _examine() -> int:
    problems: tuple[str, ...] = ()
    try:
        load_settings(to_serve=True)
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        print(f"✗ settings  {problem}")
    for warning in unknown_variables():
        print(f"! settings  {warning}")
    try:
        settings = load_settings()
    except ConfigError:
        return 1  # what cannot be read cannot be tried
    if not problems:
        print("✓ settings  complete")
    findings = [finding async for finding in _findings(settings)]
    return int(bool(problems) or not all(findings))


async def _findings(settings: Settings) -> AsyncIterator[bool]:
    """Every check that has something to try, told on the terminal as it ends; whether it passed."""
    if settings.slack_bot_token.get_secret_value():
        yield await _told("bot token", _bot_token(settings))
    if settings.transport == "socket" and settings.slack_app_token.get_secret_value():
        yield await _told("app token", _app_token(settings))
    yield await _told("store", _store(settings))
    async with aiohttp.ClientSession() as session:
        try:
            models = configured_models(settings, session)
        except ConfigError as error:
            for problem in error.problems:
                print(f"✗ models    {problem}")
            yield False
            return
        for model_id, model in models.items():
            yield await _told(model_id, model.check())
            await model.close()


async def _told(name: str, check: Awaitable[str]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            print(f"✓ {name:<9} {await check}", flush=True)
    except TimeoutError:
        print(f"✗ {name:<9} no answer within {PATIENCE_S:g} s", flush=True)
    except BotError as error:
        print(f"✗ {name:<9} {sentence(error)}", flush=True)
    else:
        return True
    return False


async def _bot_token(settings: Settings) -> str:
    answer, headers = await _ask_slack(settings, settings.slack_bot_token.get_secret_value(), "auth.test")
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    missing = [missing_scope(scope) for scope in bot_scopes() if scope not in granted]
    if missing:
        raise ConfigError(missing)
    return f"{answer.get('user')} in {answer.get('team')}, with all {len(bot_scopes())} scopes of the manifest"


async def _app_token(settings: Settings) -> str:
    await _ask_slack(settings, settings.slack_app_token.get_secret_value(), "apps.connections.open")
    return "opens Socket Mode connections"


async def _ask_slack(settings: Settings, token: str, method: str) -> tuple[dict[str, object], dict[str, str]]:
    """Slack's answer and its headers, with small letters for names."""
    async with SlackConnection(token, base_url=settings.slack_api_url) as connection:
        try:
            response = await connection.client.api_call(method)
        except FOREIGN as error:
            raise translated(method, error) from error
    if not isinstance(response.data, dict):
        raise SlackUnavailable(f"{method}: the answer is no JSON")
    return response.data, {name.lower(): str(value) for name, value in response.headers.items()}


async def _store(settings: Settings) -> str:
    """Open it, write a note to nobody, and take the note out again."""
    mirror = await open_mirror(
        settings.store, retention_days=settings.retention_days, emulator_host=settings.firestore_emulator_host
    )
    try:
        note = Signal("stop", ThreadKey("C0DOCTOR", "0000000000.000000"), "0")
        await mirror.turns.signal("doctor", note)
        if note not in await mirror.turns.signals("doctor"):
            raise StoreUnavailable(f"{settings.store} took a note and did not give it back.")
    finally:
        await mirror.close()
    return f"{settings.store} opens, writes and reads"


def configured_models(settings: Settings, session: aiohttp.ClientSession) -> dict[str, Model]:
    """The models that `tandem serve` would have; raises ConfigError for a catalogue that cannot be read."""
    specs = load_catalogue(Path(settings.models) if settings.models else None)
    gemma = GemmaAccess(
        settings.gemma_url,
        settings.gemma_dialect or None,
        settings.gemma_model,
        settings.gemma_api_key.get_secret_value(),
    )
    gemini = GeminiAccess(
        api_key=settings.gemini_api_key.get_secret_value(),
        project=settings.google_cloud_project,
        location=settings.google_cloud_location,
        model=settings.gemini_model,
        vertex_base_url=settings.google_vertex_base_url,
        gemini_base_url=settings.google_gemini_base_url,
    )
    return build_models(
        specs,
        session=session,
        gemma=gemma,
        gemini=gemini if settings.has_gemini else None,
        include_demo=settings.default_model == "demo",
    )
