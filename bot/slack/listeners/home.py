"""The app opened in: suggested prompts in its direct message, one's own model in its Home tab."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.slack.apologies import notice
from bot.slack.blocks import context
from bot.slack.listeners.tools import JSON, Tools

_PROMPTS_TITLE = "What shall we start with?"
_PROMPTS_MOST = 4  # https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts


def register(app: AsyncApp, tools: Tools) -> None:
    """Listen."""

    async def on_opened(event: JSON) -> None:
        user_id, channel_id, tab = (str(event.get(name) or "") for name in ("user", "channel", "tab"))
        if tab == "messages" and channel_id and tools.prompts:
            tools.errands.start("suggest_prompts", _suggest(tools, channel_id))
        elif tab == "home" and user_id:
            tools.errands.start("home", publish(tools, user_id))

    app.event("app_home_opened")(on_opened)


async def publish(tools: Tools, user_id: str, *, note: str = "") -> None:
    """Show somebody's Home tab; `note` says what has just become of a wish."""
    # no channel, no thread: a user's id stands for the direct message with them, which has no choice of its own
    shown = await tools.panel.show(channel_id=user_id, user_id=user_id, scope="user")
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Your model"}},
        *shown.blocks,
        *([context(note)] if note else []),
        {"type": "divider"},
        {"type": "section", "text": {"type": "mrkdwn", "text": notice("help", {})}},
    ]
    await tools.calls.call("views.publish", user_id=user_id, view={"type": "home", "blocks": blocks})


async def _suggest(tools: Tools, channel_id: str) -> None:
    prompts = [dict(prompt) for prompt in tools.prompts[:_PROMPTS_MOST]]
    await tools.calls.call(
        "assistant.threads.setSuggestedPrompts", channel_id=channel_id, title=_PROMPTS_TITLE, prompts=prompts
    )
