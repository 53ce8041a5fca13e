"""HTTP in: /healthz and /readyz for the platform, and whatever handlers it is given: /slack/events, /metrics."""

import errno
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.errors import ConfigError

log = logging.getLogger("tandem.server")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Check = Callable[[], str]  # what is wrong, as an operator would read it; "" = nothing

SHUTDOWN_S = 5.0  # for requests on their way when it closes


class Server:
    """Listens on one address.

    `alive` says why the process should be restarted, `ready` why no work should be sent to it; "" = neither. Without
    them it has no such routes. `setting` is the port's, for whoever reads that it is taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        alive: Check | None = None,
        ready: Check | None = None,
        get: Mapping[str, Handler] | None = None,
        post: Mapping[str, Handler] | None = None,
        setting: str = "PORT",
    ) -> None:
        self._host = host
        self._port = port
        self._setting = setting
        app = web.Application()
        for path, check in (("/healthz", alive), ("/readyz", ready)):
            if check is not None:
                app.router.add_get(path, _answering(check))
        for path, handler in (get or {}).items():
            app.router.add_get(path, _function(handler))
        for path, handler in (post or {}).items():
            app.router.add_post(path, _function(handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)

    @property
    def port(self) -> int:
        """The port it listens on, also where it was asked for any (0)."""
        addresses = self._runner.addresses
        return int(addresses[0][1]) if addresses else self._port

    async def start(self) -> None:
        """Listen; raises ConfigError where the address is taken or not ours."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError([_problem(error, self._host, self._setting, self._port)]) from error
        log.info("listening", extra={"host": self._host, "port": self.port})

    async def close(self) -> None:
        """Take no more requests, finish those on their way."""
        await self._runner.cleanup()


def _answering(check: Check) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        problem = check()
        return web.json_response({"ok": not problem, "problem": problem}, status=503 if problem else 200)

    return answer


def _function(handler: Handler) -> Handler:
    """The handler as the coroutine function that aiohttp wants, where it is an object that can be called."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    return answer


def _problem(error: OSError, host: str, setting: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{setting}={port} is in use on {host} already: stop what listens there, or set another {setting}."
    if error.errno == errno.EACCES:
        return f"{setting}={port} may not be opened by this user: set a {setting} of 1024 or more."
    return (
        f"HOST={host} with {setting}={port} cannot be listened on ({error.strerror or type(error).__name__}): set both."
    )
