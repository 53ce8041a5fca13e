"""What a person types or clicks in, what happens in the workspace out."""

import base64
import uuid
from typing import Any

from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.messages import Author, Draft, edit_message, make_message
from playground.parsing import typed_text
from playground.rich_text import rich_text_block
from playground.roster import Channel, User
from playground.workspace import Message

JSON = dict[str, Any]

MAX_TYPED = 40_000  # what Slack's composer posts as one message


def say(
    slack: LocalSlack,
    user: User,
    channel: Channel,
    *,
    text: str,
    thread_ts: str = "",
    broadcast: bool = False,
    files: list[JSON] | None = None,
) -> Message:
    """A person posts. Raises SlackError not_in_channel, thread_not_found, no_text, msg_too_long."""
    _check_member(user, channel)
    uploads = [_upload(slack, user, entry) for entry in files or ()]
    if not text.strip() and not uploads:
        raise SlackError("no_text")
    if len(text) > MAX_TYPED:
        raise SlackError("msg_too_long")
    parent = slack.workspace.timeline(channel.id).messages.get(thread_ts)
    if thread_ts and (parent is None or parent.is_reply):
        raise SlackError("thread_not_found")
    typed = typed_text(text, slack.roster)
    draft = Draft(text=typed, blocks=[rich_text_block(typed)] if typed else [], files=uploads)
    author = Author.of_user(slack.roster, user, str(uuid.uuid4()))
    subtype = "thread_broadcast" if broadcast and thread_ts else "file_share" if uploads else ""
    message = make_message(slack.workspace, channel.id, author, draft, root=thread_ts, subtype=subtype)
    if subtype == "thread_broadcast" and parent is not None:
        message.data["root"] = slack.workspace.presented(parent)
    return slack.workspace.post(message, broadcast=subtype == "thread_broadcast")


def edit(slack: LocalSlack, user: User, channel: Channel, ts: str, text: str) -> None:
    """A person edits their own message. Raises SlackError message_not_found, cant_update_message, no_text."""
    message = slack.workspace.message(channel.id, ts)
    if message.author != user.id:
        raise SlackError("cant_update_message")
    if not text.strip():
        raise SlackError("no_text")
    typed = typed_text(text, slack.roster)
    edit_message(slack.workspace, message, user.id, {"text": typed, "blocks": [rich_text_block(typed)]})


def delete(slack: LocalSlack, user: User, channel: Channel, ts: str) -> None:
    """A person deletes their own message; the workspace's owner anybody's."""
    timeline = slack.workspace.timeline(channel.id)
    message = timeline.ephemeral.get(ts) or slack.workspace.message(channel.id, ts)
    if user.id not in (message.author, message.visible_to, slack.roster.owner):
        raise SlackError("cant_delete_message")
    slack.workspace.remove(message)


async def command(slack: LocalSlack, user: User, channel: Channel, *, name: str, text: str, thread_ts: str) -> JSON:
    """A slash command, which people of other workspaces do not have.

    Raises SlackError not_in_threads, unknown_command, dispatch_failed, operation_timeout.
    """
    _check_member(user, channel)
    if user.team_id != slack.roster.team_id:
        raise SlackError("unknown_command")
    if thread_ts:
        raise SlackError("not_in_threads", message=f"{name} is not supported in threads. Sorry!")
    escaped = any(known.command == name and known.should_escape for known in slack.manifest.commands)
    typed = typed_text(text, slack.roster) if escaped else text
    return await slack.interactivity.command(user, channel, name, typed)


def stop(slack: LocalSlack, user: User, channel: Channel, thread_ts: str) -> list[str]:
    """Slack's own Stop button. Raises SlackError not_stoppable."""
    session = slack.sessions.find(channel.id, thread_ts)
    if session is None or not session.stoppable:
        raise SlackError("not_stoppable")
    streams = slack.streams.stopped_by_user(channel.id, thread_ts)
    slack.events.session_stopped(channel.id, thread_ts, user.id, streams)
    return streams


def rename_session(slack: LocalSlack, user: User, channel: Channel, thread_ts: str, title: str) -> None:
    """A person gives the agent's session another title. Raises SlackError session_not_found, invalid_name."""
    session = slack.sessions.find(channel.id, thread_ts)
    previous = session.title if session else ""
    slack.sessions.rename(channel.id, thread_ts, title)
    slack.events.title_changed(channel, thread_ts, user.id, title=title, previous=previous)


def join(slack: LocalSlack, user: User, channel: Channel) -> None:
    """A person (or the bot, invited) joins a channel, which says so."""
    if user.id in channel.members:
        return
    channel.members.append(user.id)
    draft = Draft(text=f"<@{user.id}> has joined the channel")
    author = Author({"user": user.id, "team": user.team_id})
    slack.workspace.post(make_message(slack.workspace, channel.id, author, draft, subtype="channel_join"))
    slack.events.joined(channel, user.id)


def unfurl(slack: LocalSlack, channel: Channel, ts: str) -> None:
    """Slack adds the preview of a link: a change that nobody made. Raises SlackError message_not_found, no_link."""
    message = slack.workspace.message(channel.id, ts)
    link = next((entity["value"] for entity in message.live if entity["kind"] in ("link", "bare_link")), None)
    if link is None:
        raise SlackError("no_link")
    preview = {
        "id": 1,
        "from_url": link,
        "original_url": link,
        "title": "A page",
        "text": "Its first words.",
        "fallback": link,
    }
    slack.workspace.change(message, {**message.data, "attachments": [preview]})


def _check_member(user: User, channel: Channel) -> None:
    if user.id not in channel.members:
        raise SlackError("not_in_channel")


def _upload(slack: LocalSlack, user: User, entry: JSON) -> JSON:
    try:
        content = base64.b64decode(str(entry["content_base64"]), validate=True)
    except (KeyError, ValueError):
        raise SlackError("invalid_arguments", message="a file needs name, mimetype and content_base64") from None
    name = str(entry.get("name") or "file")
    return slack.files.as_slack(slack.files.add(name, str(entry.get("mimetype") or ""), content, user.id))
