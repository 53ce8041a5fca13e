"""chat.*: posting, updating and deleting messages."""

from dataclasses import replace
from typing import Any

from playground.arguments import Arguments, invalid
from playground.blocks import UPDATE_TEXT_CHARS
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.messages import Author, Draft, edit_message, make_message
from playground.parsing import escaped_links, linked_names
from playground.web_api.method import (
    Method,
    missing_scope,
    own_message,
    thread_root,
    writable_channel,
)

JSON = dict[str, Any]

_ICON_ARGS = ("username", "icon_emoji", "icon_url")


def post_message(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.postMessage"""
    channel = writable_channel(slack, args.required("channel"))
    root = thread_root(slack, channel, args.text("thread_ts"))
    draft = parsed(slack, args, Draft.read(args.values))
    broadcast = args.flag("reply_broadcast") and bool(root)
    message = make_message(
        slack.workspace,
        channel.id,
        author(slack, args),
        draft,
        root=root,
        unfurl=args.flag("unfurl_links", True) or args.flag("unfurl_media", True),
        subtype="thread_broadcast" if broadcast else "",
    )
    slack.workspace.post(message, broadcast=broadcast)
    return {"channel": channel.id, "ts": message.ts, "message": message.data}


def update(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.update"""
    channel = writable_channel(slack, args.required("channel"))
    message = own_message(slack, channel, args.required("ts"), error="cant_update_message")
    if slack.streams.is_streaming(message):
        raise SlackError("streaming_state_conflict")
    draft = parsed(slack, args, Draft.read(args.values, text_limit=UPDATE_TEXT_CHARS), default="client")
    changes = draft.content()
    if draft.text is None and draft.markdown_text is None and not draft.blocks:
        changes = {"attachments": draft.attachments}
    if args.given("metadata"):
        changes["metadata"] = draft.metadata
    edit_message(slack.workspace, message, slack.roster.bot_user.id, changes)
    return {"channel": channel.id, "ts": message.ts, "text": message.data["text"], "message": message.data}


def delete(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.delete"""
    channel = writable_channel(slack, args.required("channel"))
    message = own_message(slack, channel, args.required("ts"), error="cant_delete_message")
    slack.workspace.remove(message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.postEphemeral"""
    channel = writable_channel(slack, args.required("channel"))
    user = args.required("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    root = thread_root(slack, channel, args.text("thread_ts"))
    draft = parsed(slack, args, Draft.read(args.values))
    message = make_message(
        slack.workspace, channel.id, author(slack, args), draft, root=root, visible_to=user, unfurl=True
    )
    slack.workspace.post(message)
    return {"message_ts": message.ts}


def get_permalink(slack: LocalSlack, args: Arguments) -> JSON:
    """chat.getPermalink"""
    channel = writable_channel(slack, args.required("channel"))
    message = slack.workspace.message(channel.id, args.required("message_ts"))
    link = f"{slack.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.root}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def author(slack: LocalSlack, args: Arguments) -> Author:
    """The app's bot user, under another name if it may. Raises SlackError missing_scope."""
    if any(args.text(name) for name in _ICON_ARGS) and "chat:write.customize" not in slack.manifest.scopes:
        raise missing_scope(slack, "chat:write.customize")
    icon = {"emoji": args.text("icon_emoji"), "image_48": args.text("icon_url")}
    icon = {key: value for key, value in icon.items() if value}
    return Author.of_app(slack.roster, username=args.text("username"), icon=icon)


def parsed(slack: LocalSlack, args: Arguments, draft: Draft, *, default: str = "none") -> Draft:
    """The draft with its `text` as `parse` and `link_names` want it; blocks and Markdown are not touched by them."""
    parse = args.text("parse") or default
    if parse not in ("none", "full", "client"):
        raise invalid("parse", "must be none, full or client")
    text = draft.text
    if not text:
        return draft
    if parse == "client" and default == "client":
        text = escaped_links(text)
    if parse == "full" or args.flag("link_names"):
        text = linked_names(text, slack.roster)
    return replace(draft, text=text)


_WRITE = ("chat:write",)
METHODS = {
    "chat.postMessage": Method(post_message, _WRITE, "post"),
    "chat.update": Method(update, _WRITE, "3"),
    "chat.delete": Method(delete, _WRITE, "3"),
    "chat.postEphemeral": Method(post_ephemeral, _WRITE, "4"),
    "chat.getPermalink": Method(get_permalink, (), "special"),
}
