"""chat.scheduleMessage and its siblings: posts that wait for their time."""

from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.messages import Draft, make_message
from playground.scheduled import Scheduled
from playground.web_api.chat import author, parsed
from playground.web_api.method import Method, channel_for, thread_root, writable_channel
from playground.web_api.paging import page

JSON = dict[str, Any]

MAX_AHEAD_S = 120 * 24 * 3600  # docs.slack.dev/reference/methods/chat.scheduleMessage: 120 days


def schedule(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.scheduleMessage"""
    channel = writable_channel(slack, args.required("channel"))
    ahead_s = args.integer("post_at", 0, low=0, high=10**12) - slack.workspace.now()
    if ahead_s <= 0:
        raise SlackError("time_in_past")
    if ahead_s > MAX_AHEAD_S:
        raise SlackError("time_too_far")
    root = thread_root(slack, channel, args.text("thread_ts"))
    draft, writer = parsed(slack, args, Draft.read(args.values)), author(slack, args)
    unfurl = args.flag("unfurl_links", True) or args.flag("unfurl_media", True)

    def post() -> None:
        slack.workspace.post(make_message(slack.workspace, channel.id, writer, draft, root=root, unfurl=unfurl))

    content = draft.content()
    waiting = slack.scheduled.add(channel.id, int(args.text("post_at")), str(content["text"]), ahead_s, post)
    preview = {"type": "delayed_message", **writer.keys, **content}
    answer = {"scheduled_message_id": waiting.id, "channel": channel.id, "post_at": waiting.post_at}
    return {**answer, "message": preview}


def delete(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.deleteScheduledMessage"""
    channel = channel_for(slack, args.required("channel"))
    slack.scheduled.cancel(channel.id, args.required("scheduled_message_id"))
    return {}


def list_(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.scheduledMessages.list"""
    wanted = args.text("channel")
    if wanted:
        channel_for(slack, wanted)
    waiting = [message for message in slack.scheduled.waiting() if wanted in ("", message.channel)]
    shown, metadata = page(waiting, args, default=100)
    return {"scheduled_messages": [_shown(message) for message in shown], "response_metadata": metadata}


def _shown(message: Scheduled) -> JSON:
    return {
        "id": message.id,
        "channel_id": message.channel,
        "post_at": message.post_at,
        "date_created": message.created_at,
        "text": message.text,
    }


METHODS = {
    "chat.scheduleMessage": Method(schedule, ("chat:write",), "3"),
    "chat.deleteScheduledMessage": Method(delete, ("chat:write",), "3"),
    "chat.scheduledMessages.list": Method(list_, (), "3"),
}
