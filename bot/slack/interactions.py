"""A slash command's or a click's JSON in, its facts out.

Slack signs what arrives, but what a button carries was once sent to everybody's client: so the channel and the thread
are taken from where the click happened, and a value is only ever a wish.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.conversation.thread import ThreadKey
from bot.slack.entities import repaired, said

JSON = Mapping[str, Any]
Scope = Literal["user", "channel"]

_SCOPE = re.compile(r"(?:^|\s)for (?P<who>me|myself|this channel|the channel)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command. `words` is the argument without the scope that it names; `scope` None = it names none."""

    user_id: str
    team_id: str
    channel_id: str
    response_url: str
    words: str
    scope: Scope | None

    @property
    def in_dm(self) -> bool:
        """Whether it was typed in a direct message."""
        return self.channel_id.startswith("D")


@dataclass(frozen=True, slots=True)
class Click:
    """A button pressed, or an option chosen. `thread` is None in the Home tab; `value` is what the element carries."""

    user_id: str
    user_team_id: str
    response_url: str
    block_id: str
    value: str
    thread: ThreadKey | None


def command_of(body: JSON) -> Command:
    """Read a slash command's body."""
    text = said(_text(body.get("text")), bot_user_id="", name_of=lambda _: "").text
    scope: Scope | None = None
    match = _SCOPE.search(text)
    if match:
        text = text[: match.start()].strip()
        scope = "user" if match["who"].lower() in ("me", "myself") else "channel"
    return Command(
        user_id=_text(body.get("user_id")),
        team_id=_text(body.get("team_id")),
        channel_id=_text(body.get("channel_id")),
        response_url=_text(body.get("response_url")),
        words="" if text.lower() in ("help", "list", "?") else text,
        scope=scope,
    )


def is_click(body: JSON) -> bool:
    """Whether a block_actions body has the shape that Bolt relies on."""
    actions = body.get("actions")
    return isinstance(actions, list) and bool(actions) and all(_is_action(action) for action in actions)


def _is_action(action: object) -> bool:
    return isinstance(action, dict) and all(isinstance(action.get(name), str) for name in ("action_id", "block_id"))


def click_of(body: JSON) -> Click:
    """Read a block_actions body; of several actions the first."""
    user, message, container = _dict(body.get("user")), _dict(body.get("message")), _dict(body.get("container"))
    actions = body.get("actions")
    action = _dict(actions[0]) if isinstance(actions, list) and actions else {}
    channel_id = _text(_dict(body.get("channel")).get("id")) or _text(container.get("channel_id"))
    root_ts = next(
        (_text(ts) for ts in (message.get("thread_ts"), container.get("thread_ts"), message.get("ts")) if ts), ""
    )
    return Click(
        user_id=_text(user.get("id")),
        user_team_id=_text(user.get("team_id")) or _text(_dict(body.get("team")).get("id")),
        response_url=_text(body.get("response_url")),
        block_id=_text(action.get("block_id")),
        value=_text(_dict(action.get("selected_option")).get("value")) or _text(action.get("value")),
        thread=ThreadKey(channel_id, root_ts) if channel_id else None,
    )


def _text(value: object) -> str:
    return repaired(value) if isinstance(value, str) else ""


def _dict(value: object) -> JSON:
    return value if isinstance(value, dict) else {}
