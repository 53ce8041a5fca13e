"""The control API: JSON from the page and from tests in, people's acts and the playground's own knowledge out."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from playground import people
from playground.delivery import encoded
from playground.errors import SlackError
from playground.live import seen_by, status_frame
from playground.local_slack import LocalSlack
from playground.reactions import add_reaction, remove_reaction
from playground.roster import Channel, User
from playground.trouble import set_trouble
from playground.workspace import Message

JSON = dict[str, Any]
Route = Callable[[LocalSlack, JSON], Awaitable[JSON]]


async def answer(slack: LocalSlack, request: web.Request) -> web.Response:
    """One control call; refusals are `{"ok": false, "error": …}` with HTTP 200, as Slack's are."""
    route = ROUTES.get((request.method, request.match_info["name"]))
    try:
        if route is None:
            raise SlackError("unknown_method")
        values: JSON = dict(request.query)
        if request.method == "POST":
            values |= await _body(request)
        body = {"ok": True, **await route(slack, values)}
    except SlackError as error:
        body = {"ok": False, "error": error.code, **error.details}
    except web.HTTPRequestEntityTooLarge:
        body = {"ok": False, "error": "request_too_large"}
    return web.Response(text=encoded(body), content_type="application/json")


async def live(slack: LocalSlack, request: web.Request) -> web.StreamResponse:
    """A page's WebSocket."""
    try:
        user = slack.workspace.user(request.query.get("as", ""))
    except SlackError as error:
        return web.json_response({"ok": False, "error": error.code})
    first: list[JSON] = [{"type": "connection", "bot_connected": slack.bot_connected()}]
    if home := slack.views.home(user.id):
        first.append({"type": "home", "view": home})
    first += [{"type": "view", "trigger": "open", "view": view} for view in slack.views.stack(user.id)]
    return await slack.live.serve(request, user.id, first)


async def workspace(slack: LocalSlack, values: JSON) -> JSON:
    """The workspace as one person sees it."""
    me, roster, manifest = _user(slack, values), slack.roster, slack.manifest
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
        "app": app,
        "me": _shown_user(me),
        "users": [_shown_user(user) for user in roster.users.values()],
        "channels": [_shown_channel(channel) for channel in seen],
    }


async def messages(slack: LocalSlack, values: JSON) -> JSON:
    """A channel's messages, or a thread's; with what only `as` sees, and the thread's status."""
    channel = _channel(slack, values)
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


async def say(slack: LocalSlack, values: JSON) -> JSON:
    message = people.say(
        slack,
        _user(slack, values),
        _channel(slack, values),
        text=str(values.get("text") or ""),
        thread_ts=str(values.get("thread_ts") or ""),
        broadcast=bool(values.get("broadcast")),
        files=values.get("files"),
    )
    return {"ts": message.ts, "thread_ts": message.root}


async def edit(slack: LocalSlack, values: JSON) -> JSON:
    people.edit(slack, _user(slack, values), _channel(slack, values), _text(values, "ts"), _text(values, "text"))
    return {}


async def delete(slack: LocalSlack, values: JSON) -> JSON:
    people.delete(slack, _user(slack, values), _channel(slack, values), _text(values, "ts"))
    return {}


async def command(slack: LocalSlack, values: JSON) -> JSON:
    return await people.command(
        slack,
        _user(slack, values),
        _channel(slack, values),
        name=_text(values, "command"),
        text=str(values.get("text") or ""),
        thread_ts=str(values.get("thread_ts") or ""),
    )


async def action(slack: LocalSlack, values: JSON) -> JSON:
    user, view, message = _user(slack, values), None, None
    if values.get("view_id"):
        view = slack.views.get(_text(values, "view_id"))
    else:
        message = _message(slack, values, "message_ts")
    return await slack.interactivity.act(user, action=values, message=message, view=view)


async def shortcut(slack: LocalSlack, values: JSON) -> JSON:
    user, message = _user(slack, values), _message(slack, values, "message_ts")
    await slack.interactivity.shortcut(user, message, _text(values, "callback_id"))
    return {}


async def view_submit(slack: LocalSlack, values: JSON) -> JSON:
    return await slack.interactivity.submit(_user(slack, values), _text(values, "view_id"), values.get("values") or {})


async def view_close(slack: LocalSlack, values: JSON) -> JSON:
    await slack.interactivity.close_view(_user(slack, values), _text(values, "view_id"))
    return {}


async def stop(slack: LocalSlack, values: JSON) -> JSON:
    channel = _channel(slack, values)
    return {"streaming_message_ts": people.stop(slack, _user(slack, values), channel, _text(values, "thread_ts"))}


async def open_home(slack: LocalSlack, values: JSON) -> JSON:
    user, tab = _user(slack, values), str(values.get("tab") or "home")
    if tab not in ("home", "messages"):
        raise SlackError("invalid_arguments", message="tab is home or messages")
    slack.events.home_opened(user.id, tab, slack.views.home(user.id))
    return {"view": slack.views.home(user.id)}


async def react(slack: LocalSlack, values: JSON) -> JSON:
    change = remove_reaction if values.get("remove") else add_reaction
    change(slack, _message(slack, values, "ts"), _text(values, "name"), _user(slack, values).id)
    return {}


async def join(slack: LocalSlack, values: JSON) -> JSON:
    people.join(slack, _user(slack, values), slack.workspace.channel(_text(values, "channel")))
    return {}


async def calls(slack: LocalSlack, values: JSON) -> JSON:
    since = int(values.get("since") or 0)
    found = slack.record.calls(str(values.get("method") or ""), since)
    return {"calls": [call.as_json() for call in found], "last": slack.record.last}


async def deliveries(slack: LocalSlack, values: JSON) -> JSON:
    since = int(values.get("since") or 0)
    return {"deliveries": [delivery.as_json() for delivery in slack.deliveries.log if delivery.n > since]}


async def status(slack: LocalSlack, values: JSON) -> JSON:
    channel, thread_ts = _channel(slack, values), _text(values, "thread_ts")
    session = slack.sessions.find(channel.id, thread_ts)
    return status_frame(session) if session else {"status": None, "text": "", "stoppable": False, "title": ""}


async def wait_reply(slack: LocalSlack, values: JSON) -> JSON:
    """Wait until the app's messages after `after_ts` in a thread are finished and unchanged for `settle_s`."""
    channel, root = _channel(slack, values), _text(values, "thread_ts")
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


async def deliver(slack: LocalSlack, values: JSON) -> JSON:
    """Send any raw event envelope, such as a redelivery or another workspace's twin."""
    envelope = values.get("envelope")
    if not isinstance(envelope, dict):
        raise SlackError("invalid_arguments", message="envelope must be an object")
    return {"n": slack.deliveries.send_event(envelope).n}


async def envelope(slack: LocalSlack, values: JSON) -> JSON:
    """Send an event inside a fresh envelope, whatever the app is subscribed to."""
    event = values.get("event")
    if not isinstance(event, dict):
        raise SlackError("invalid_arguments", message="event must be an object")
    return {"n": slack.deliveries.send_event(slack.events.envelope(event)).n}


async def trouble(slack: LocalSlack, values: JSON) -> JSON:
    set_trouble(slack.trouble, slack.timing, values)
    slack.limits.forget()
    return {"trouble": slack.trouble.as_json()}


async def disconnect(slack: LocalSlack, values: JSON) -> JSON:
    reason = str(values.get("reason") or "refresh_requested")
    if reason not in ("warning", "refresh_requested", "link_disabled", "drop"):
        raise SlackError("invalid_arguments", message="reason: warning, refresh_requested, link_disabled or drop")
    return {"connections": await slack.sockets.disconnect(reason)}


async def reset(slack: LocalSlack, values: JSON) -> JSON:
    """Forget messages, statuses, views, calls and deliveries, and end all trouble."""
    slack.reset()
    return {}


def _is_reply(slack: LocalSlack, message: Message, after_ts: str) -> bool:
    return message.author == slack.roster.bot_user.id and message.ts > after_ts


def _text(values: JSON, name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise SlackError("invalid_arguments", message=f"{name} is missing")
    return value


def _user(slack: LocalSlack, values: JSON) -> User:
    return slack.workspace.user(_text(values, "as"))


def _channel(slack: LocalSlack, values: JSON) -> Channel:
    return slack.workspace.channel(_text(values, "channel"), as_user=str(values.get("as") or "") or None)


def _message(slack: LocalSlack, values: JSON, name: str) -> Message:
    channel, ts = _channel(slack, values), _text(values, name)
    ephemeral = slack.workspace.timeline(channel.id).ephemeral.get(ts)
    return ephemeral or slack.workspace.message(channel.id, ts)


def _shown_user(user: User) -> JSON:
    names = ("id", "name", "real_name", "display_name", "is_bot", "is_restricted", "is_ultra_restricted", "color")
    return {**{name: getattr(user, name) for name in names}, "is_owner": user.is_owner}


def _shown_channel(channel: Channel) -> JSON:
    shown: JSON = {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.type == "group",
        "is_im": channel.type == "im",
        "members": channel.members,
        "topic": channel.topic,
    }
    return {**shown, "user": channel.user} if channel.user else shown


async def _body(request: web.Request) -> JSON:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "workspace"): workspace,
    ("GET", "messages"): messages,
    ("GET", "calls"): calls,
    ("GET", "deliveries"): deliveries,
    ("GET", "status"): status,
    ("POST", "say"): say,
    ("POST", "edit"): edit,
    ("POST", "delete"): delete,
    ("POST", "command"): command,
    ("POST", "action"): action,
    ("POST", "shortcut"): shortcut,
    ("POST", "view_submit"): view_submit,
    ("POST", "view_close"): view_close,
    ("POST", "stop"): stop,
    ("POST", "open_home"): open_home,
    ("POST", "react"): react,
    ("POST", "join"): join,
    ("POST", "wait_reply"): wait_reply,
    ("POST", "deliver"): deliver,
    ("POST", "event"): envelope,
    ("POST", "trouble"): trouble,
    ("POST", "disconnect"): disconnect,
    ("POST", "reset"): reset,
}
