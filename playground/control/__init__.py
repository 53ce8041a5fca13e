"""The control API: JSON from the page and from tests in, people's acts and the playground's own knowledge out."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from playground.control import acting, inspecting, troubling, watching
from playground.errors import SlackError
from playground.json_text import decoded, encoded
from playground.live import status_frame
from playground.local_slack import LocalSlack

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
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        body = {"ok": False, "error": "invalid_arguments", "message": str(error)}
    except web.HTTPRequestEntityTooLarge:
        body = {"ok": False, "error": "file_too_large"}
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
    first += slack.live.prompts_for(user.id)
    first += [status_frame(s) for s in slack.sessions.busy() if slack.workspace.may_see_id(s.channel, user.id)]
    first += [{"type": "view", "trigger": "open", "view": view} for view in slack.views.stack(user.id)]
    return await slack.live.serve(request, user.id, first)


async def _body(request: web.Request) -> JSON:
    try:
        body = decoded(await request.text() or "{}")
    except (ValueError, LookupError):
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "workspace"): watching.workspace,
    ("GET", "messages"): watching.messages,
    ("GET", "calls"): watching.calls,
    ("GET", "deliveries"): watching.deliveries,
    ("GET", "status"): watching.status,
    ("GET", "wire"): inspecting.wire,
    ("GET", "store"): inspecting.store,
    ("POST", "say"): acting.say,
    ("POST", "edit"): acting.edit,
    ("POST", "delete"): acting.delete,
    ("POST", "command"): acting.command,
    ("POST", "action"): acting.action,
    ("POST", "shortcut"): acting.shortcut,
    ("POST", "view_submit"): acting.view_submit,
    ("POST", "view_close"): acting.view_close,
    ("POST", "stop"): acting.stop,
    ("POST", "rename_session"): acting.rename_session,
    ("POST", "open_home"): acting.open_home,
    ("POST", "react"): acting.react,
    ("POST", "join"): acting.join,
    ("POST", "unfurl"): acting.unfurl,
    ("POST", "wait_reply"): watching.wait_reply,
    ("POST", "deliver"): troubling.deliver,
    ("POST", "event"): troubling.envelope,
    ("POST", "trouble"): troubling.trouble,
    ("POST", "disconnect"): troubling.disconnect,
    ("POST", "reset"): troubling.reset,
}
