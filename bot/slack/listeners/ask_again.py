"""The button under a failed or cut answer in: the same question asked once more."""

import logging

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack.apologies import notice
from bot.slack.blocks import ASK_AGAIN
from bot.slack.interactions import Click, click_of
from bot.slack.listeners.tools import JSON, Tools

log = logging.getLogger("tandem.slack.events")

# What is said of an outcome's reason. The button stays under its apology, so it may be pressed after it has worked.
_SAID = {"vanished_thread": "vanished_thread", "deleted": "vanished_thread", "known": "asked_already"}
_MOST = 99  # a thread has no hundredth retry: the number came from somewhere else


def register(app: AsyncApp, tools: Tools) -> None:
    """Listen."""

    async def on_ask_again(ack: AsyncAck, body: JSON) -> None:
        await ack()
        click = click_of(body)
        tools.errands.start("ask_again", _ask(tools, click), tell=tools.answering(click).say)

    app.action(ASK_AGAIN)(on_ask_again)


async def _ask(tools: Tools, click: Click) -> None:
    wanted = _question(click)
    if not tools.admits(click):
        code = "outsider"
    elif wanted is None:
        code = "vanished_thread"
    else:
        outcome = await tools.intake.again(*wanted, click.user_id)
        log.info("ask again", extra={"turn": outcome.turn_id, "fate": outcome.fate, "reason": outcome.reason})
        code = _SAID.get(outcome.reason, "")
    if code:
        await tools.answering(click).say(notice(code, {}))


def _question(click: Click) -> tuple[str, int] | None:
    """The question's turn and the number of the retry; None where it is not of the channel of the click."""
    turn_id, _, retry = click.value.rpartition(":")
    if click.thread is None or not turn_id.startswith(f"{click.thread.channel_id}:"):
        return None
    number = int(retry) if retry.isascii() and retry.isdigit() and len(retry) <= len(str(_MOST)) else 0
    return (turn_id, number) if 1 <= number <= _MOST else None
