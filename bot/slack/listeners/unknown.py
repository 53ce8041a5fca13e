"""Clicks and commands that nobody listens to in: an ack, so that nobody waits for one."""

import logging
import re

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack.listeners.tools import JSON

log = logging.getLogger("tandem.slack.events")

_ANY = re.compile(".*", re.DOTALL)


def register(app: AsyncApp) -> None:
    """Listen."""

    async def on_command(ack: AsyncAck, body: JSON) -> None:
        log.warning("unknown command", extra={"command": body.get("command")})
        await ack("I do not know this command. `/model` shows and changes who answers.")

    async def on_action(ack: AsyncAck, action: JSON) -> None:
        log.warning("unknown action", extra={"action": action.get("action_id")})
        await ack()

    app.command(_ANY)(on_command)
    app.action(_ANY)(on_action)
