"""Settings in, a serving bot out: the composition root, the only file that knows every room."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as package_files
from pathlib import Path

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.conversation.answer import Answerer, Style
from bot.conversation.choice import Chooser
from bot.conversation.intake import Intake
from bot.conversation.models import Sampling
from bot.conversation.outages import Outages
from bot.conversation.recall import Recall
from bot.conversation.repair import Repair
from bot.conversation.thread import Place
from bot.conversation.triage import Rules
from bot.conversation.turn import ReplyMode, Turn
from bot.conversation.worker import Worker
from bot.inspection import Inspection
from bot.rooms import Models, SlackDoor, open_instruments, open_models, open_slack, open_store
from bot.rotation import Rotation, Take
from bot.server import Handler, Server
from bot.slack.archive import SlackArchive
from bot.slack.bolt import build_app
from bot.slack.directory import SlackDirectory
from bot.slack.errands import Errands
from bot.slack.events import EventReader
from bot.slack.http import HttpEvents
from bot.slack.listeners import Tools
from bot.slack.manifest import suggested_prompts
from bot.slack.model_panel import ModelPanel
from bot.slack.replies import SlackReplies
from bot.slack.socket import SocketMode
from bot.store import Mirror
from bot.telemetry.instruments import Instruments
from bot.telemetry.logs import configure_logs

log = logging.getLogger("tandem.app")


async def run(settings: Settings, files: Mapping[str, Path]) -> int:
    """Serve until SIGTERM or SIGINT, then drain; 0. Raises BotError where it cannot begin.

    `files` are those that settings were read from: where one of them holds a secret, the bot follows its changes.
    """
    configure_logs(settings.log_level, settings.log_format, project=settings.google_cloud_project)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with serving(settings, files) as bot:
        log.info("serving", extra={"port": bot.server.port, "transport": settings.transport})
        await over.wait()
        log.info("draining", extra={"turns": bot.worker.running})
    log.info("drained")
    return 0


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that serves."""

    server: Server
    worker: Worker


@asynccontextmanager
async def serving(settings: Settings, files: Mapping[str, Path]) -> AsyncIterator[Bot]:
    """The whole bot, until the block is left; then it drains."""
    async with AsyncExitStack() as stack:
        instruments = await stack.enter_async_context(open_instruments(settings))
        models = await stack.enter_async_context(open_models(settings, instruments))
        mirror = await open_store(settings, instruments)
        stack.push_async_callback(mirror.close)
        slack = await stack.enter_async_context(open_slack(settings, instruments))
        errands = Errands()
        stack.push_async_callback(errands.close)
        core = _core(settings, models, mirror, slack, errands, instruments)
        app = build_app(*_events(settings, slack, core, errands))
        draining = asyncio.Event()
        server, door, takers = _doors(settings, app, slack, mirror, draining)
        instruments.watch("tandem_turns_in_flight", lambda: core.worker.running)
        if door is not None:
            instruments.watch("tandem_sockets_connected", lambda: door.connected)
        # What is pushed last ends first: events go to other replicas, then turns end, then the health checks.
        stack.push_async_callback(server.close)
        async with AsyncExitStack() as begun:
            if door is not None:
                begun.push_async_callback(door.close)
            await server.start()
            await core.outages.pulse()
            listening = asyncio.create_task(core.outages.run(lambda: door is None or door.connected), name="outages")
            stack.push_async_callback(_cancel, listening)
            stack.push_async_callback(_cancel, asyncio.create_task(core.worker.run(), name="worker"))
            stack.push_async_callback(core.worker.drain, settings.drain_s)
            if door is not None:
                await door.start()
            stack.push_async_callback(begun.pop_all().aclose)
        rotation = _rotation(settings, files, models, slack, takers)
        stack.push_async_callback(_cancel, asyncio.create_task(rotation.run(), name="rotation"))
        stack.callback(draining.set)
        yield Bot(server, core.worker)


@dataclass(frozen=True, slots=True)
class _Core:
    directory: SlackDirectory
    reader: EventReader
    chooser: Chooser
    worker: Worker
    intake: Intake
    outages: Outages


def _core(
    settings: Settings, models: Models, mirror: Mirror, slack: SlackDoor, errands: Errands, instruments: Instruments
) -> _Core:
    directory = SlackDirectory(slack.calls, mirror.threads, slack.us)
    reader = EventReader(slack.us, name_of=directory.name_of, outsiders=settings.allow_outsiders)
    entries = [model.entry for model in models.by_id.values()]
    chooser = Chooser(entries, models.default_id, threads=mirror.threads, directory=directory, aliases=models.aliases)

    async def name_of(team_id: str, user_id: str) -> str:
        return (await directory.person(team_id, user_id)).name

    async def notice(turn: Turn, code: str, **facts: str) -> None:
        errands.start("notice", replies.notice(turn, code, **facts))

    hosts = settings.link_hosts
    replies = SlackReplies(
        slack.calls,
        bot_user_id=slack.us.user_id,
        allowed_link_hosts=hosts,
        settle_delays_s=[float(delay_s) for delay_s in settings.settle.split(",")],
        name_of=name_of,
    )
    archive = SlackArchive(slack.calls, reader, outsiders=settings.allow_outsiders)
    answerer = Answerer(
        models.by_id,
        chooser,
        replies=instruments.replies(replies),
        recall=Recall(mirror.threads, archive, directory),
        style=_style(settings),
        monotonic=time.monotonic,
        reference=lambda: secrets.token_hex(4),
    )
    rules = Rules(follow_ups=settings.follow_ups, outsiders=settings.allow_outsiders)
    outages = Outages(mirror.turns, now=time.time)
    worker = Worker(
        mirror.turns,
        instruments.answers(answerer),
        owner=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
        lease_s=settings.lease_s,
        max_turns=settings.max_turns,
        monotonic=time.monotonic,
        repair=Repair(mirror.turns, mirror.threads, archive, outages, rules, now=time.time),
    )
    intake = Intake(
        mirror.turns, mirror.threads, worker, notice=notice, rules=rules, now=time.time, missed=outages.missed
    )
    return _Core(directory, reader, chooser, worker, instruments.intake(intake), outages)


def _events(
    settings: Settings, slack: SlackDoor, core: _Core, errands: Errands
) -> tuple[AsyncWebClient, EventReader, Tools]:
    """What Bolt's app is built of."""
    tools = Tools(
        us=slack.us,
        intake=core.intake,
        panel=ModelPanel(core.chooser, core.directory, slack.us),
        calls=slack.calls,
        session=slack.connection.session,
        errands=errands,
        prompts=suggested_prompts(),
        outsiders=settings.allow_outsiders,
    )
    return slack.connection.client, core.reader, tools


def _doors(
    settings: Settings, app: AsyncApp, slack: SlackDoor, mirror: Mirror, draining: asyncio.Event
) -> tuple[Server, SocketMode | None, Mapping[str, Take]]:
    """The ways in, and who takes a new secret of them. In Socket Mode the server has no event route."""
    get: dict[str, Handler] = {}
    if settings.inspect:
        inspection = Inspection(mirror.turns, mirror.threads, host=settings.host)
        get |= {"/inspect": inspection.show, "/inspect/tasks": inspection.tasks}
    if settings.transport == "http":
        events = HttpEvents(app, settings.slack_signing_secret.get_secret_value())
        post: Mapping[str, Handler] = {"/slack/events": events.__call__}
        ready = partial(_readiness, draining, lambda: True)
        server = Server(settings.host, settings.port, alive=str, ready=ready, get=get, post=post)
        return server, None, {"SLACK_SIGNING_SECRET": events.renew}
    siblings = _ignore if settings.replicas else slack.calls.budget.set_siblings
    token = settings.slack_app_token.get_secret_value()
    door = SocketMode(app, token, slack.connection.client, on_connections=siblings)
    ready = partial(_readiness, draining, lambda: door.connected)
    server = Server(settings.host, settings.port, alive=door.problem, ready=ready, get=get)
    return server, door, {"SLACK_APP_TOKEN": door.renew}


def _rotation(
    settings: Settings, files: Mapping[str, Path], models: Models, slack: SlackDoor, more: Mapping[str, Take]
) -> Rotation:
    known = {
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_APP_TOKEN": settings.slack_app_token,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        "GEMMA_API_KEY": settings.gemma_api_key,
    }
    takers: dict[str, Take] = {"SLACK_BOT_TOKEN": slack.renew, "GEMMA_API_KEY": models.gemma_key.renew, **more}
    return Rotation(files, {name: secret.get_secret_value() for name, secret in known.items()}, takers)


def _readiness(draining: asyncio.Event, connected: Callable[[], bool]) -> str:
    if draining.is_set():
        return "draining"
    return "" if connected() else "Slack's socket is not connected"


def _ignore(connections: int) -> None:
    """The operator has said how many processes there are."""


def _style(settings: Settings) -> Style:
    persona = (
        settings.persona or package_files("bot.conversation").joinpath("instructions.md").read_text("utf-8").strip()
    )
    sampling = Sampling(settings.temperature, settings.top_p, settings.max_tokens)
    everywhere: ReplyMode | None = settings.reply_mode or None
    modes: dict[Place, ReplyMode] = {"dm": everywhere or "native", "channel": everywhere or "edit"}
    return Style(persona, sampling, modes)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
