"""The end of an installation in: a line in the log that an operator will find."""

import logging

from slack_bolt.app.async_app import AsyncApp

from bot.slack.listeners.tools import JSON

log = logging.getLogger("tandem.slack")


def register(app: AsyncApp) -> None:
    """Listen."""

    async def on_uninstalled(body: JSON) -> None:
        log.error("the workspace removed the app: install it again, or stop this process", extra=_facts(body))

    async def on_tokens_revoked(body: JSON) -> None:
        log.error("Slack revoked the app's token: install it again and set SLACK_BOT_TOKEN", extra=_facts(body))

    app.event("app_uninstalled")(on_uninstalled)
    app.event("tokens_revoked")(on_tokens_revoked)


def _facts(body: JSON) -> dict[str, object]:
    return {"team": body.get("team_id"), "event_id": body.get("event_id")}
