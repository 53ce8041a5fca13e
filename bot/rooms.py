"""Settings in, rooms out, each opened by itself: what measures, the models, the store, Slack."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname

import aiohttp

from bot.config import Settings
from bot.conversation.ports import Model
from bot.errors import ConfigError, SlackRejected
from bot.failpoints import Failpoint, failing_models, failing_turns
from bot.llm.build import GeminiAccess, GemmaAccess, Key, build_models, configured, names
from bot.llm.catalogue import load_catalogue
from bot.server import Server
from bot.slack.authorize import Identity, who_we_are
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.client import SlackConnection
from bot.slack.own_limits import read_limits
from bot.store import Mirror, open_mirror
from bot.telemetry.instruments import Instruments, choose_instruments

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)  # each model keeps its own deadlines
UNMEASURED = Instruments()


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
async def open_instruments(settings: Settings) -> AsyncIterator[Instruments]:
    """What the operator wants to be measured. Raises ConfigError where the port of /metrics is taken."""
    port = settings.metrics_port
    instruments = choose_instruments(
        metrics=port is not None, collector=settings.otlp_endpoint, instance=f"{gethostname()}-{os.getpid()}"
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(instruments.close)
        if instruments.metrics is not None and port is not None:
            scraped = {"/metrics": instruments.metrics.show}
            server = Server(settings.host, port, get=scraped, setting="TANDEM_METRICS_PORT")
            stack.push_async_callback(server.close)
            await server.start()
        yield instruments


@asynccontextmanager
async def open_models(settings: Settings, instruments: Instruments = UNMEASURED) -> AsyncIterator[Models]:
    """Raises ConfigError for a catalogue or a default that cannot be."""
    catalogue = load_catalogue(Path(settings.models) if settings.models else None)
    key = Key(settings.gemma_api_key.get_secret_value())
    gemma, gemini = _gemma(settings, key), _gemini(settings)
    with_demo = settings.default_model == "demo" or any(spec.entry.stand_in == "demo" for spec in catalogue)
    prices = {
        spec.entry.id: spec.price
        for spec in configured(catalogue, gemma=gemma, gemini=gemini, include_demo=with_demo)
        if spec.price
    }
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=_NO_TIMEOUT) as session:
        models = build_models(
            catalogue,
            session=session,
            gemma=gemma,
            gemini=gemini,
            include_demo=with_demo,
            on_rest=instruments.rests,
        )
        if settings.failpoint:
            models = failing_models(models, Failpoint.parse(settings.failpoint))
        measured = instruments.models(models, lambda id_, usage: prices[id_].of(usage) if id_ in prices else 0.0)
        try:
            yield Models(measured, _default(settings, models), names(catalogue), key)
        finally:
            for model in models.values():
                await model.close()


async def open_store(settings: Settings, instruments: Instruments = UNMEASURED) -> Mirror:
    """Raises StoreUnusable, with what to do."""
    mirror = await open_mirror(
        settings.store, retention_days=settings.retention_days, emulator_host=settings.firestore_emulator_host
    )
    if settings.failpoint:
        mirror = replace(mirror, turns=failing_turns(mirror.turns, Failpoint.parse(settings.failpoint)))
    return replace(mirror, turns=instruments.turns(mirror.turns), threads=instruments.threads(mirror.threads))


@asynccontextmanager
async def open_slack(settings: Settings, instruments: Instruments = UNMEASURED) -> AsyncIterator[SlackDoor]:
    """Raises SlackRejected for a token that is no good."""
    async with SlackConnection(
        settings.slack_bot_token.get_secret_value(), base_url=f"{settings.slack_api_url}/"
    ) as connection:
        budget = Budget(read_limits(settings.slack_limits))
        budget.set_siblings(settings.replicas or 1)
        calls = SlackCalls(connection.client, budget, around=instruments.slack_call)
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
