"""A thread as Slack holds it in, the messages of ours in it out: how one whose posting was never confirmed is found."""

from collections.abc import Mapping
from typing import Any

from bot.conversation.turn import Turn
from bot.slack.calls import SlackCalls

TURN_EVENT = "tandem_turn"
NOTICE_EVENT = "tandem_notice"
_PAGE = 200

SlackMessage = Mapping[str, Any]


def turn_mark(turn_id: str, part: int) -> dict[str, Any]:
    """The metadata of a turn's n-th message (counted from 0)."""
    return {"event_type": TURN_EVENT, "event_payload": {"turn": turn_id, "part": part}}


def notice_mark(turn_id: str) -> dict[str, Any]:
    """The metadata of a message that is no answer."""
    return {"event_type": NOTICE_EVENT, "event_payload": {"turn": turn_id}}


def part_of(message: SlackMessage, turn_id: str) -> int | None:
    """Which of the turn's messages it is marked as, if it is."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != TURN_EVENT or payload.get("turn") != turn_id:
        return None
    part = payload.get("part")
    return int(part) if isinstance(part, int | str) and str(part).isdigit() else 0


def is_marked(message: SlackMessage) -> bool:
    """Whether it carries any mark of ours."""
    return (message.get("metadata") or {}).get("event_type") in (TURN_EVENT, NOTICE_EVENT)


async def own_messages(calls: SlackCalls, turn: Turn, bot_user_id: str) -> list[SlackMessage]:
    """The bot's messages in the turn's thread since the question, oldest first. Raises SlackError."""
    own: list[SlackMessage] = []
    cursor = ""
    while True:
        page = await calls.call(
            "conversations.replies",
            team_id=turn.team_id,
            urgency="read",
            channel=turn.thread.channel_id,
            ts=turn.thread.thread_ts,
            oldest=turn.question_ts,
            limit=_PAGE,
            include_all_metadata=True,
            cursor=cursor or None,
        )
        own += [each for each in page.get("messages") or () if _is_ours(each, bot_user_id, turn.question_ts)]
        cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return sorted(own, key=lambda message: str(message["ts"]))


def _is_ours(message: SlackMessage, bot_user_id: str, after_ts: str) -> bool:
    return message.get("user") == bot_user_id and str(message.get("ts", "")) > after_ts


def shown_chars(message: SlackMessage) -> int:
    """About how much text a message shows."""
    return max(len(str(message.get("text") or "")), _text_chars(message.get("blocks") or []))


def _text_chars(node: object) -> int:
    if isinstance(node, list):
        return sum(map(_text_chars, node))
    if not isinstance(node, Mapping):
        return 0
    text = node.get("text")
    own = len(text) if isinstance(text, str) else 0
    return own + sum(_text_chars(value) for value in node.values() if isinstance(value, list | Mapping))
