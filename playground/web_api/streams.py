"""chat.startStream, chat.appendStream, chat.stopStream."""

from typing import Any

from playground.arguments import Arguments, invalid
from playground.blocks import MARKDOWN_CHARS, MESSAGE_BLOCKS, check_message_blocks, check_metadata
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.messages import Draft, make_message
from playground.web_api.chat import author
from playground.web_api.method import Method, own_message, thread_root, writable_channel

JSON = dict[str, Any]


def start_stream(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.startStream"""
    channel = writable_channel(slack, args.required("channel"))
    root = thread_root(slack, channel, args.required("thread_ts"))
    display = args.text("task_display_mode", "timeline")
    if display not in ("timeline", "plan"):
        raise invalid("task_display_mode", "must be timeline or plan")
    recipient = _recipient(slack, args, required=channel.type != "im")
    message = make_message(slack.workspace, channel.id, author(slack, args), Draft(), root=root)
    message.live_for = recipient if channel.type != "im" else None
    slack.streams.start(message, chunks(args), task_display=display)
    return {"channel": channel.id, "ts": message.ts}


def append_stream(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.appendStream"""
    channel = writable_channel(slack, args.required("channel"))
    message = own_message(slack, channel, args.required("ts"), error="message_not_owned_by_app")
    slack.streams.append(message, chunks(args))
    return {"channel": channel.id, "ts": message.ts}


def stop_stream(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.stopStream"""
    channel = writable_channel(slack, args.required("channel"))
    message = own_message(slack, channel, args.required("ts"), error="message_not_owned_by_app")
    status = args.text("session_status")
    if status not in ("", "active", "processing", "suspended", "closed"):
        raise SlackError("invalid_status")
    blocks = args.items("blocks", "invalid_blocks") or []
    if len(blocks) > MESSAGE_BLOCKS:
        raise SlackError("msg_blocks_too_many")
    slack.streams.stop(
        message,
        chunks(args),
        blocks=check_message_blocks(blocks),
        metadata=check_metadata(args.structure("metadata", "invalid_metadata_format")),
        status=status,
    )
    return {"channel": channel.id, "ts": message.ts, "message": message.data}


def chunks(args: Arguments) -> list[JSON]:
    """The chunks of a call; markdown_text is a chunk too. Raises SlackError invalid_chunks, msg_too_long."""
    given = args.items("chunks", "invalid_chunks") or []
    text = args.text("markdown_text")
    if len(text) > MARKDOWN_CHARS:
        raise SlackError("msg_too_long")
    return [{"type": "markdown_text", "text": text}, *given] if text else given


def _recipient(slack: LocalSlack, args: Arguments, *, required: bool) -> str | None:
    user_id, team_id = args.text("recipient_user_id"), args.text("recipient_team_id")
    if required and not user_id:
        raise SlackError("missing_recipient_user_id")
    if required and not team_id:
        raise SlackError("missing_recipient_team_id")
    if user_id:
        user = slack.workspace.user(user_id)
        if team_id and user.team_id != team_id:
            raise SlackError("team_not_found")
    return user_id or None


_WRITE = ("chat:write",)
METHODS = {
    "chat.startStream": Method(start_stream, _WRITE, "2"),
    "chat.appendStream": Method(append_stream, _WRITE, "4"),
    "chat.stopStream": Method(stop_stream, _WRITE, "2"),
}
