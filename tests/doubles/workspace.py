"""What people do in Slack in, what they read out: a playground in a process of its own, for end-to-end tests."""

import asyncio
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

JSON = dict[str, Any]

ROOT = Path(__file__).parents[2]
BOT_TOKEN = "xoxb-playground"
APP_TOKEN = "xapp-playground"
SIGNING_SECRET = "playground-signing-secret"


class Refused(AssertionError):
    """The playground refused a control call; `code` says why, e.g. `timeout` or `not_in_threads`."""

    def __init__(self, call: str, answer: JSON) -> None:
        super().__init__(f"{call}: {answer}")
        self.code = str(answer.get("error"))
        self.answer = answer


class Workspace:
    """A running playground: `async with Workspace(manifest=…) as workspace`.

    `events_url` is where signed HTTP events go; without it the app is reached by Socket Mode.
    `port` 0 takes a free one; give one to bring the same address up again.
    """

    def __init__(
        self,
        *,
        manifest: Path = ROOT / "manifest.yaml",
        events_url: str = "socket",
        port: int = 0,
        options: Iterable[str] = (),
    ) -> None:
        self._arguments = ["--manifest", str(manifest), "--events", events_url, "--port", str(port), *options]
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        """The base URL for Slack's SDK."""
        return f"{self.url}/api/"

    async def __aenter__(self) -> Self:
        self.url = await self._start()
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
        await self._end()

    async def _start(self) -> str:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "playground", *self._arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            line = (await self._process.stdout.readline()).decode()
        ready = re.match(r"playground ready (\S+)", line)
        assert ready, f"the playground did not start: {line!r}"
        return ready[1]

    async def _end(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None, **more: Any) -> str:
        """Post as a person, `@Tandem` being a mention; the message's ts. `more`: broadcast, files."""
        values = {"as": user, "channel": channel, "text": text, "thread_ts": thread_ts or "", **more}
        return str((await self.post("say", **values))["ts"])

    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Edit one's own message."""
        await self.post("edit", **{"as": user, "channel": channel, "ts": ts, "text": text})

    async def delete(self, user: str, channel: str, ts: str) -> None:
        """Delete one's own message; Ada may delete anybody's."""
        await self.post("delete", **{"as": user, "channel": channel, "ts": ts})

    async def command(self, user: str, channel: str, command: str, text: str = "") -> JSON:
        """Run a slash command; `answer` is what the app acknowledged it with."""
        return await self.post("command", **{"as": user, "channel": channel, "command": command, "text": text})

    async def click(
        self,
        user: str,
        channel: str,
        message_ts: str,
        action_id: str,
        *,
        block_id: str = "",
        value: str | None = None,
        option: str | None = None,
    ) -> None:
        """Press a button of a message, or choose the option with this value from its menu."""
        values: JSON = {"as": user, "channel": channel, "message_ts": message_ts}
        values |= {"action_id": action_id, "block_id": block_id}
        if value is not None:
            values["value"] = value
        if option is not None:
            values["selected_option_value"] = option
        await self.post("action", **values)

    async def stop(self, user: str, channel: str, thread_ts: str) -> list[str]:
        """Press Slack's own Stop button; the streams that it ended."""
        answer = await self.post("stop", **{"as": user, "channel": channel, "thread_ts": thread_ts})
        return list(answer["streaming_message_ts"])

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Add an emoji to a message."""
        await self.post("react", **{"as": user, "channel": channel, "ts": ts, "name": name})

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app's Home or Messages tab."""
        await self.post("open_home", **{"as": user, "tab": tab})

    async def unfurl(self, channel: str, ts: str) -> None:
        """Let Slack add the preview of a message's link: a change that nobody made."""
        await self.post("unfurl", channel=channel, ts=ts)

    async def join(self, user: str, channel: str) -> None:
        """Join a channel, or bring the bot in."""
        await self.post("join", **{"as": user, "channel": channel})

    async def reply(
        self, channel: str, thread_ts: str, after_ts: str = "", timeout_s: float = 30, settle_s: float = 0.25
    ) -> list[JSON]:
        """The app's messages in a thread after `after_ts`, once they are finished and have not changed for a while.

        Raises Refused with code `timeout`, and the messages so far in `answer`.
        """
        answer = await self.post(
            "wait_reply",
            channel=channel,
            thread_ts=thread_ts,
            after_ts=after_ts,
            timeout_s=timeout_s,
            settle_s=settle_s,
        )
        return list(answer["messages"])

    async def messages(self, channel: str, thread_ts: str = "", *, user: str = "") -> list[JSON]:
        """A channel's messages or a thread's, oldest first, as a person sees them (or as they are)."""
        values = {"channel": channel, "thread_ts": thread_ts, "as": user}
        return list((await self.get("messages", **values))["messages"])

    async def status(self, channel: str, thread_ts: str) -> JSON:
        """A thread's status line: `status`, `text`, `stoppable`, `title`."""
        return await self.get("status", channel=channel, thread_ts=thread_ts)

    async def calls(self, method: str = "", since: int = 0) -> list[JSON]:
        """The Web API calls of the app, oldest first: `n, at, method, args, ok, error, status, duration_ms`."""
        return list((await self.get("calls", method=method, since=str(since)))["calls"])

    async def deliveries(self, since: int = 0) -> list[JSON]:
        """Everything sent to the app: `n, at, kind, payload, attempts, acked, lost`."""
        return list((await self.get("deliveries", since=str(since)))["deliveries"])

    async def deliver(self, envelope: JSON) -> None:
        """Send a raw event envelope, e.g. one of `deliveries()` again."""
        await self.post("deliver", envelope=envelope)

    async def trouble(self, **settings: Any) -> None:
        """Switch misbehaviour on, or clocks to another speed (`timing={"stream_life_s": 1}`)."""
        await self.post("trouble", **settings)

    async def disconnect(self, reason: str) -> int:
        """End the app's sockets: warning, refresh_requested, link_disabled or drop; or mute one of them. How many."""
        return int((await self.post("disconnect", reason=reason))["connections"])

    async def reset(self) -> None:
        """Forget everything that happened, and end all trouble."""
        await self.post("reset")

    async def connected(self, timeout_s: float = 30) -> None:
        """Wait until the app can be reached."""
        async with asyncio.timeout(timeout_s):
            while not (await self.get("workspace", **{"as": "U0ADA"}))["app"]["connected"]:
                await asyncio.sleep(0.05)

    async def post(self, name: str, /, **values: Any) -> JSON:
        """Any control call. Raises Refused."""
        assert self._http is not None
        async with self._http.post(f"{self.url}/_/{name}", json=values) as response:
            return _accepted(name, await response.json())

    async def get(self, name: str, /, **query: str) -> JSON:
        """Any control question. Raises Refused."""
        assert self._http is not None
        async with self._http.get(f"{self.url}/_/{name}", params=query) as response:
            return _accepted(name, await response.json())


def _accepted(name: str, answer: JSON) -> JSON:
    if not answer.get("ok"):
        raise Refused(name, answer)
    return answer
