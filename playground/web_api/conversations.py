"""conversations.*: channels, who is in them, and what was said."""

from collections.abc import Iterable
from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.roster import Channel
from playground.web_api.method import Method, channel_for, missing_scope
from playground.web_api.paging import make_cursor, page, read_cursor
from playground.workspace import Message

JSON = dict[str, Any]

MAX_GROUP = 8  # docs.slack.dev/reference/methods/conversations.open


def info(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.info"""
    channel = channel_for(slack, args.required("channel"), scope="read")
    shown = channel.as_slack(slack.roster.team_id, slack.roster.bot_user.id)
    if not args.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def list_(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.list"""
    wanted = {kind.strip() for kind in args.text("types", "public_channel").split(",")}
    if wanted - {"public_channel", "private_channel", "im", "mpim"}:
        raise SlackError("invalid_types")
    names = {"channel": "public_channel", "group": "private_channel", "mpim": "mpim", "im": "im"}
    bot = slack.roster.bot_user.id
    known = [
        channel
        for channel in slack.roster.channels.values()
        if names[channel.type] in wanted and slack.workspace.may_see(channel, bot)
    ]
    channels, metadata = page(known, args, default=100)
    team = slack.roster.team_id
    return {"channels": [c.as_slack(team, bot) for c in channels], "response_metadata": metadata}


def members(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.members"""
    channel = channel_for(slack, args.required("channel"), scope="read")
    ids, metadata = page(channel.members, args, default=100)
    return {"members": list(ids), "response_metadata": metadata}


def open_(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.open: the direct message with one person, or the group direct message with several"""
    if args.text("channel"):
        channel, is_open = channel_for(slack, args.text("channel")), True
    else:
        channel, is_open = _direct_message(slack, {user.strip() for user in args.text("users").split(",")} - {""})
    shown = channel.as_slack(slack.roster.team_id, slack.roster.bot_user.id)
    answer = {"channel": shown if args.flag("return_im") else {"id": channel.id}}
    return {"no_op": True, "already_open": True, **answer} if is_open else answer


def _direct_message(slack: LocalSlack, user_ids: set[str]) -> tuple[Channel, bool]:
    """The conversation with these people, and whether it was there already."""
    if not user_ids:
        raise SlackError("users_list_not_supplied")
    if len(user_ids) > MAX_GROUP:
        raise SlackError("too_many_users")
    users = [slack.workspace.user(user_id) for user_id in sorted(user_ids)]
    if any(user.team_id != slack.roster.team_id for user in users):
        raise SlackError("user_not_visible")
    needed = "im:write" if len(users) == 1 else "mpim:write"
    if needed not in slack.manifest.scopes:
        raise missing_scope(slack, needed)
    if len(users) > 1:
        return slack.roster.group_message(user_ids)
    direct = slack.roster.direct_message(users[0].id)
    if direct is None:
        raise SlackError("cannot_dm_bot")
    return direct, True


def join(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.join"""
    channel = channel_for(slack, args.required("channel"))
    if channel.type != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    bot = slack.roster.bot_user.id
    if bot not in channel.members:
        channel.members.append(bot)
        slack.events.joined(channel, bot)
    return {"channel": channel.as_slack(slack.roster.team_id, bot)}


def history(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.history: newest first"""
    channel = channel_for(slack, args.required("channel"), scope="history")
    if slack.roster.bot_user.id not in channel.members:
        raise SlackError("not_in_channel")
    within = [m for m in slack.workspace.top_level(channel.id) if _is_within(m, args)]
    messages, metadata = page(within, args, default=100, high=999)
    return {
        "messages": _shown(slack, messages, args),
        "has_more": bool(metadata["next_cursor"]),
        "pin_count": 0,
        "response_metadata": metadata,
    }


def replies(slack: LocalSlack, args: Arguments) -> JSON:
    """conversations.replies: the root first on every page, then replies, oldest first"""
    channel = channel_for(slack, args.required("channel"), scope="history")
    if slack.roster.bot_user.id not in channel.members:
        raise SlackError("channel_not_found")
    ts = args.required("ts")
    message = slack.workspace.timeline(channel.id).messages.get(ts)
    thread = slack.workspace.thread(channel.id, message.root) if message else []
    if not thread:
        raise SlackError("thread_not_found")
    limit = args.integer("limit", 1000, low=1, high=1000)
    start = read_cursor(args.text("cursor"))
    following = [m for m in thread[1:] if _is_within(m, args)]
    if start > len(following):
        raise SlackError("invalid_cursor")
    # The first page counts the root too; yet each page holds at least one reply, so that paging ends.
    end = start + (limit if start else max(1, limit - 1))
    has_more = end < len(following)
    answer: JSON = {"messages": _shown(slack, [thread[0], *following[start:end]], args), "has_more": has_more}
    return {**answer, "response_metadata": {"next_cursor": make_cursor(end)}} if has_more else answer


def _is_within(message: Message, args: Arguments) -> bool:
    oldest, latest = args.text("oldest"), args.text("latest")
    inclusive = args.flag("inclusive")
    for name, value in (("oldest", oldest), ("latest", latest)):
        if value and not value.replace(".", "", 1).isdigit():
            raise SlackError(f"invalid_ts_{name}")
    at = float(message.ts)
    after = not oldest or at > float(oldest) or (inclusive and message.ts == oldest)
    before = not latest or at < float(latest) or (inclusive and message.ts == latest)
    return after and before


def _shown(slack: LocalSlack, messages: Iterable[Message], args: Arguments) -> list[JSON]:
    """Messages as Slack gives them: metadata only where it is asked for."""
    everything = args.flag("include_all_metadata")
    shown = [slack.workspace.presented(message) for message in messages]
    if everything:
        return shown
    return [{key: value for key, value in data.items() if key != "metadata"} for data in shown]


_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
METHODS = {
    "conversations.info": Method(info, _READ, "3"),
    "conversations.list": Method(list_, _READ, "2"),
    "conversations.members": Method(members, _READ, "4"),
    "conversations.open": Method(open_, ("im:write", "mpim:write"), "3"),
    "conversations.join": Method(join, ("channels:join",), "3"),
    "conversations.history": Method(history, _HISTORY, "3"),
    "conversations.replies": Method(replies, _HISTORY, "3"),
}
