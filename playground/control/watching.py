"""What people and tests read: the workspace, messages, statuses, calls, deliveries; and waiting for a reply."""

import asyncio
import time
from typing import Any

from playground.control.values import channel_of, text_of, user_of
from playground.errors import SlackError
from playground.live import seen_by, status_frame
from playground.local_slack import LocalSlack
from playground.roster import Channel, User
from playground.workspace import Message

JSON = dict[str, Any]


async def workspace(slack: LocalSlack, values: JSON) -> JSON:
    """The workspace as one person sees it."""
    me, roster, manifest = user_of(slack, values), slack.roster, slack.manifest
    commands = [
        {"command": c.command, "description": c.description, "usage_hint": c.usage_hint} for c in manifest.commands
    ]
    app = {
        "id": roster.app_id,
        "bot_user_id": roster.bot_user.id,
        "name": roster.bot_user.display_name,
        "commands": commands,
        "suggested_prompts": list(manifest.suggested_prompts),
        "home_tab": manifest.home_tab,
        "connected": slack.bot_connected(),
    }
    seen = [c for c in roster.channels.values() if slack.workspace.may_see(c, me.id)]
    return {
        "team": {"id": roster.team_id, "name": roster.team_name},
        "store": bool(slack.inspect_url),
        "app": app,
        "me": _shown_user(me),
        "users": [_shown_user(user) for user in roster.users.values()],
        "channels": [_shown_channel(channel) for channel in seen],
    }


async def messages(slack: LocalSlack, values: JSON) -> JSON:
    """A channel's messages, or a thread's; with what only `as` sees, and the thread's status."""
    channel = channel_of(slack, values)
    as_user = str(values.get("as") or "") or None
    thread_ts = str(values.get("thread_ts") or "")
    if thread_ts:
        found = slack.workspace.thread(channel.id, thread_ts)
    else:
        found = list(slack.workspace.top_level(channel.id))[::-1]
    hidden = slack.workspace.timeline(channel.id).ephemeral.values()
    mine = [m for m in hidden if as_user in (None, m.visible_to) and m.root == (thread_ts or m.ts)]
    shown = sorted([*found, *mine], key=lambda m: m.ts)
    answer: JSON = {"messages": [seen_by(slack.workspace, m, as_user) for m in shown]}
    session = slack.sessions.find(channel.id, thread_ts)
    if session is not None:
        answer["status"] = status_frame(session)
    return answer


async def calls(slack: LocalSlack, values: JSON) -> JSON:
    since = int(values.get("since") or 0)
    found = slack.record.calls(str(values.get("method") or ""), since)
    return {"calls": [call.as_json() for call in found], "last": slack.record.last}


async def deliveries(slack: LocalSlack, values: JSON) -> JSON:
    since = int(values.get("since") or 0)
    return {"deliveries": [delivery.as_json() for delivery in slack.deliveries.log if delivery.n > since]}


async def status(slack: LocalSlack, values: JSON) -> JSON:
    channel, thread_ts = channel_of(slack, values), text_of(values, "thread_ts")
    session = slack.sessions.find(channel.id, thread_ts)
    return status_frame(session) if session else {"status": None, "text": "", "stoppable": False, "title": ""}


async def wait_reply(slack: LocalSlack, values: JSON) -> JSON:
    """Wait until the app's messages after `after_ts` in a thread are finished and unchanged for `settle_s`."""
    channel, root = channel_of(slack, values), text_of(values, "thread_ts")
    after_ts, settle_s = str(values.get("after_ts") or ""), float(values.get("settle_s", 0.25))
    deadline = time.monotonic() + float(values.get("timeout_s") or 30)
    while True:
        changed = slack.workspace.changed(channel.id, root)
        found = [m for m in slack.workspace.thread(channel.id, root) if _is_reply(slack, m, after_ts)]
        session = slack.sessions.find(channel.id, root)
        finished = bool(found) and not any(m.streaming for m in found) and not (session and session.is_busy)
        left = deadline - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(settle_s, left) if finished else left)):
                await changed
        except TimeoutError:
            shown = [seen_by(slack.workspace, m, None) for m in found]
            if finished and left >= settle_s:
                return {"messages": shown}
            raise SlackError("timeout", messages=shown, status=session.shown if session else "") from None


def _is_reply(slack: LocalSlack, message: Message, after_ts: str) -> bool:
    return message.author == slack.roster.bot_user.id and message.ts > after_ts


def _shown_user(user: User) -> JSON:
    names = ("id", "name", "real_name", "display_name", "is_bot", "is_restricted", "is_ultra_restricted", "color")
    return {**{name: getattr(user, name) for name in names}, "is_owner": user.is_owner}


def _shown_channel(channel: Channel) -> JSON:
    shown: JSON = {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.type in ("group", "mpim"),
        "is_im": channel.type == "im",
        "members": channel.members,
        "topic": channel.topic,
    }
    return {**shown, "user": channel.user} if channel.user else shown
