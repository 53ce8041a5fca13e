"""Slack's own convention: one module per kind of arrival.

What is asked, and what stops it, never comes here: `bot/slack/middleware.py` takes that before it is acknowledged.
"""

from slack_bolt.app.async_app import AsyncApp

from bot.slack.listeners import ask_again, home, lifecycle, model_command, model_menu, unknown
from bot.slack.listeners.tools import Tools

__all__ = ["Tools", "register"]


def register(app: AsyncApp, tools: Tools) -> None:
    """The table of contents. `unknown` comes last: it answers what nobody else does."""
    model_command.register(app, tools)  # /model
    model_menu.register(app, tools)  # the select menu under answers, of /model, in the Home tab
    ask_again.register(app, tools)  # the button under failed and cut answers
    home.register(app, tools)  # somebody opens the direct message, or the Home tab
    lifecycle.register(app)  # the workspace removed the app, or its token
    unknown.register(app)  # buttons of older versions, commands that the manifest does not name
