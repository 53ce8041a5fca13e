"""Settings in, rooms out, each opened by itself: the models, the store, Slack."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from bot.config import Settings
from bot.conversation.ports import Model
from bot.errors import ConfigError, SlackRejected
from bot.failpoints import Failpoint, failing_models, failing_turns
from bot.llm.build import GeminiAccess, GemmaAccess, Key, build_models, names
from bot.llm.catalogue import load_catalogue
from bot.slack.authorize import Identity, who_we_are
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.client import SlackConnection
from bot.slack.own_limits import read_limits
from bot.store import Mirror, open_mirror

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)  # each model keeps its own deadlines


@dataclass(frozen=True, slots=True)
class Models:
    """The models that are configured, in the catalogue's order, and what people call them."""

    by_id: Mapping[str, Model]
    default_id: str
    aliases: Mapping[str, str]
    gemma_key: Key


@dataclass(frozen=True, slots=True)
class SlackDoor:
    """The way to Slack's Web API, and who we are there."""

    connection: SlackConnection
    calls: SlackCalls
    us: Identity

    async def renew(self, token: str) -> None:
        """Call with another bot token from now on; raises SlackError, and keeps the old one, where it is no good."""
        them = await who_we_are(SlackCalls(self.connection.with_token(token), self.calls.budget))
        if (them.team_id, them.user_id) != (self.us.team_id, self.us.user_id):
            raise SlackRejected("auth.test", "the token is another workspace's or another app's")
        self.connection.client.token = token


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[Models]:
    """Raises ConfigError for a catalogue or a default that cannot be."""
    specs = load_catalogue(Path(settings.models) if settings.models else None)
    key = Key(settings.gemma_api_key.get_secret_value())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=_NO_TIMEOUT) as session:
        models = build_models(
            specs,
            session=session,
            gemma=_gemma(settings, key),
            gemini=_gemini(settings),
            include_demo=settings.default_model == "demo" or any(spec.entry.stand_in == "demo" for spec in specs),
        )
        if settings.failpoint:
            models = failing_models(models, Failpoint.parse(settings.failpoint))
        try:
            yield Models(models, _default(settings, models), names(specs), key)
        finally:
            for model in models.values():
                await model.close()


async def open_store(settings: Settings) -> Mirror:
    """Raises StoreUnusable, with what to do."""
    mirror = await open_mirror(
        settings.store, retention_days=settings.retention_days, emulator_host=settings.firestore_emulator_host
    )
    if settings.failpoint:
        mirror = replace(mirror, turns=failing_turns(mirror.turns, Failpoint.parse(settings.failpoint)))
    return mirror


@asynccontextmanager
async def open_slack(settings: Settings) -> AsyncIterator[SlackDoor]:
    """Raises SlackRejected for a token that is no good."""
    async with SlackConnection(
        settings.slack_bot_token.get_secret_value(), base_url=f"{settings.slack_api_url}/"
    ) as connection:
        budget = Budget(read_limits(settings.slack_limits))
        budget.set_siblings(settings.replicas or 1)
        calls = SlackCalls(connection.client, budget)
        yield SlackDoor(connection, calls, await who_we_are(calls))


def _default(settings: Settings, models: Mapping[str, Model]) -> str:
    if not models:
        raise ConfigError(["No model of the catalogue is configured: set GEMMA_URL, GEMINI_API_KEY or its own `url`."])
    if settings.default_model and settings.default_model not in models:
        known = ", ".join(models)
        raise ConfigError([f"TANDEM_DEFAULT_MODEL is {settings.default_model!r}, but configured are: {known}."])
    return settings.default_model or next(iter(models))


def _gemma(settings: Settings, key: Key) -> GemmaAccess | None:
    if not (settings.gemma_url or key.value):
        return None
    return GemmaAccess(settings.gemma_url, settings.gemma_dialect or None, settings.gemma_model, key)


def _gemini(settings: Settings) -> GeminiAccess | None:
    if not settings.has_gemini:
        return None
    key = settings.gemini_api_key.get_secret_value()
    return GeminiAccess(
        api_key=key,
        project="" if key else settings.google_cloud_project,
        location=settings.google_cloud_location,
        model=settings.gemini_model,
        vertex_base_url=settings.google_vertex_base_url,
        gemini_base_url=settings.google_gemini_base_url,
    )
