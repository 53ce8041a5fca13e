"""The settings in, one line for each thing that must work out: `✓` it does, `✗` it does not and what to do."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable

from bot.commands.sentences import sentence
from bot.config import Settings, load_settings, unknown_variables
from bot.conversation.mirror import Signal
from bot.conversation.thread import ThreadKey
from bot.errors import BotError, ConfigError, SlackUnavailable, StoreUnavailable
from bot.rooms import open_models, open_store
from bot.slack.client import SlackConnection
from bot.slack.errors import FOREIGN, translated
from bot.slack.manifest import bot_scopes, missing_scope

PATIENCE_S = 60.0  # a model that is loading may need as long for its first word


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
        _tell("✗", "settings", problem)
    for warning in unknown_variables():
        _tell("!", "settings", warning)
    try:
        settings = load_settings()
    except ConfigError:
        return 1  # what cannot be read cannot be tried
    if not problems:
        _tell("✓", "settings", "complete")
    findings = [finding async for finding in _findings(settings)]
    return int(bool(problems) or not all(findings))


async def _findings(settings: Settings) -> AsyncIterator[bool]:
    """Every check that has something to try, told on the terminal as it ends; whether it passed."""
    if settings.slack_bot_token.get_secret_value():
        yield await _told("bot token", _bot_token(settings))
    if settings.transport == "socket" and settings.slack_app_token.get_secret_value():
        yield await _told("app token", _app_token(settings))
    yield await _told("store", _store(settings))
    if not settings.has_model:
        return  # which has been said
    try:
        async with open_models(settings) as models:
            for model_id, model in models.by_id.items():
                yield await _told(model_id, model.check())
    except ConfigError as error:
        for problem in error.problems:
            _tell("✗", "models", problem)
        yield False


async def _told(name: str, check: Awaitable[str]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            _tell("✓", name, await check)
            return True
    except TimeoutError:
        _tell("✗", name, f"no answer within {PATIENCE_S:g} s")
    except ConfigError as error:
        for problem in error.problems:
            _tell("✗", name, problem)
    except BotError as error:
        _tell("✗", name, sentence(error))
    return False


def _tell(mark: str, name: str, finding: str) -> None:
    print(f"{mark} {name:<11} {finding}", flush=True)


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
    mirror = await open_store(settings)
    try:
        note = Signal("stop", ThreadKey("C0DOCTOR", "0000000000.000000"), "0")
        await mirror.turns.signal("doctor", note)
        if note not in await mirror.turns.signals("doctor"):
            raise StoreUnavailable(f"{settings.store} took a note and did not give it back.")
    finally:
        await mirror.close()
    return f"{settings.store} opens, writes and reads"
