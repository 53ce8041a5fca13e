"""Clients and the core's doors in, Slack's own framework out: the one place that builds the AsyncApp."""

import logging

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import listeners
from bot.slack.authorize import authorization
from bot.slack.events import EventReader
from bot.slack.listeners import Tools
from bot.slack.middleware import ACCEPT_S, AcceptFirst

_LOGGER = "tandem.bolt"


def build_app(client: AsyncWebClient, reader: EventReader, tools: Tools, *, accept_s: float = ACCEPT_S) -> AsyncApp:
    """The app with its middleware and listeners, for either transport.

    Whoever dispatches to it has checked where the request comes from: Socket Mode by its URL, HTTP by HttpEvents. Its
    filter of self events is off, because a deleted answer of ours must reach the mirror.
    """
    app = AsyncApp(
        name=_LOGGER,  # Bolt gives the logger of this name the other's level
        logger=_quiet_logger(),
        client=_tokenless(client),  # with a token Bolt would ask auth.test itself, and put `authorize` aside
        signing_secret="",
        authorize=authorization(tools.us, lambda: client.token or ""),
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.use(AcceptFirst(tools.us, reader, tools.intake, accept_s=accept_s))
    listeners.register(app, tools)
    return app


def _tokenless(client: AsyncWebClient) -> AsyncWebClient:
    twin = AsyncWebClient(base_url=client.base_url, session=client.session, retry_handlers=[])
    twin.proxy = client.proxy
    return twin


def _quiet_logger() -> logging.Logger:
    """Bolt's own log: below this level its lines hold what people wrote.

    One of its warnings is left out, about a SLACK_BOT_TOKEN in the environment that yields to ours.
    """
    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.ERROR)
    return logger
