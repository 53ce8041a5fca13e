"""HTTP requests in; the Web API, Socket Mode, response URLs, files, the control API and the page out."""

import re
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import BodyPartReader, web

from playground import control, web_api
from playground.control import inspecting
from playground.errors import SlackError
from playground.json_text import decoded
from playground.local_slack import LocalSlack

PAGE = Path(__file__).with_name("page")
MAX_BODY_BYTES = 64 * 1024 * 1024
SLACK = web.AppKey("slack", LocalSlack)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOCAL_NAMES = ("localhost",)
_FILE_PATH = re.compile(r"^[^-/]+-(?P<id>F\w+)/(?:download/)?.+$")


def build_app(slack: LocalSlack) -> web.Application:
    """The aiohttp application around one local Slack."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_same_origin])
    app[SLACK] = slack
    app.router.add_route("*", "/api/{method}", _api)
    app.router.add_get("/link", _link)
    app.router.add_post("/hooks/{hook}", _hook)
    app.router.add_post("/files/upload/{token}", _upload)
    app.router.add_get("/files/{path:.+}", _download)
    app.router.add_get("/_/live", _live)
    app.router.add_get("/_/file", _file)
    app.router.add_route("*", "/_/{name}", _control)
    app.router.add_get("/", _page)
    if PAGE.is_dir():
        app.router.add_static("/", PAGE)
    app.on_shutdown.append(_shutdown)
    return app


@web.middleware
async def _same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No other web page may act here: it could ask the app questions, and read the answers.

    Slack's own routes want a token or a secret in the URL, so that they may be reached under any name.
    """
    if not request.path.startswith("/_/"):
        return await handler(request)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return web.json_response({"ok": False, "error": "cross_origin"}, status=403)
    if request.url.host not in _LOCAL_NAMES and ip_of(request.url.host) is None:
        return web.json_response({"ok": False, "error": "unknown_host"}, status=403)
    return await handler(request)


def ip_of(host: str | None) -> IPv4Address | IPv6Address | None:
    """The address that a host is, if it is one; a name could be made to point here by anybody."""
    try:
        return ip_address(host or "")
    except ValueError:
        return None


class Server:
    """The application on a port of its own; `port` 0 picks a free one."""

    def __init__(self, slack: LocalSlack, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._slack = slack
        self._host = host
        self._port = port
        self._runner = web.AppRunner(build_app(slack), access_log=None, shutdown_timeout=2)

    async def start(self) -> str:
        """Listen, and say at which URL. Raises OSError when the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        url = f"http://{self._host}:{self._runner.addresses[0][1]}"
        self._slack.serve_at(url)
        return url

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        await self._runner.cleanup()


async def _shutdown(app: web.Application) -> None:
    await app[SLACK].close()


async def _api(request: web.Request) -> web.StreamResponse:
    return await web_api.answer(request.app[SLACK], request)


async def _link(request: web.Request) -> web.StreamResponse:
    return await request.app[SLACK].sockets.connect(request)


async def _control(request: web.Request) -> web.StreamResponse:
    return await control.answer(request.app[SLACK], request)


async def _live(request: web.Request) -> web.StreamResponse:
    return await control.live(request.app[SLACK], request)


async def _file(request: web.Request) -> web.Response:
    return await inspecting.file(request.app[SLACK], request)


async def _page(request: web.Request) -> web.StreamResponse:
    if not (PAGE / "index.html").is_file():
        return web.Response(text="The playground's page is not installed; its APIs are.")
    return web.FileResponse(PAGE / "index.html")


async def _hook(request: web.Request) -> web.Response:
    """A response URL: Slack answers `ok` as text, and errors as JSON with a status."""
    try:
        body: Any = decoded(await request.text())
        if not isinstance(body, dict):
            raise SlackError("invalid_payload")
        request.app[SLACK].interactivity.respond(request.match_info["hook"], body)
    except (ValueError, LookupError):
        return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
    except SlackError as error:
        status = 404 if error.code in ("expired_url", "used_url") else 400
        return web.json_response({"ok": False, "error": error.code}, status=status)
    return web.Response(text="ok")


async def _upload(request: web.Request) -> web.Response:
    """The URL of files.getUploadURLExternal: raw bytes, or one part of a multipart form."""
    try:
        content = await _uploaded(request)
        file = request.app[SLACK].files.fill(request.match_info["token"], content)
    except SlackError as error:
        return web.Response(status=400, text=error.code)
    except (ValueError, LookupError):
        return web.Response(status=400, text="invalid_form_data")
    return web.Response(text=f"OK - {file.size}")


async def _uploaded(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    part = await (await request.multipart()).next()
    return bytes(await part.read()) if isinstance(part, BodyPartReader) else b""


async def _download(request: web.Request) -> web.Response:
    """A file, for who shows the bot's token and may read files; a page to sign in for everyone else."""
    slack = request.app[SLACK]
    allowed = request.headers.get("Authorization") == f"Bearer {slack.credentials.bot_token}"
    if not allowed or "files:read" not in slack.manifest.scopes:
        return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")
    match = _FILE_PATH.match(request.match_info["path"])
    try:
        file = slack.files.get(match["id"] if match else "")
    except SlackError:
        return web.Response(status=404, text="<!DOCTYPE html><title>Not found</title>", content_type="text/html")
    return web.Response(body=file.content, content_type=file.mimetype)
