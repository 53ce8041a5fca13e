"""Web API calls in, a strict local Slack's answers out, without a wire: the playground behind slack_sdk's client."""

import asyncio
import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from slack_sdk.web.async_client import AsyncWebClient

from playground import people
from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.manifest import everything
from playground.ratelimits import PER_MINUTE, Bucket
from playground.web_api import METHODS
from playground.workspace_file import read_roster

JSON = dict[str, Any]
FaultKind = Literal["refuse", "limit", "trouble"]


@dataclass(slots=True)
class Fault:
    """The next `times` calls of `method` go wrong, after `after` that do not.

    "refuse": ok false with `code`; "limit": 429 with `retry_after_s`; "trouble": the connection breaks, with the work
    done before (`effect`) or not.
    """

    method: str
    kind: FaultKind
    code: str = ""
    retry_after_s: float = 0.0
    effect: bool = False
    times: int = 1
    after: int = 0


@dataclass(slots=True)
class Call:
    """One call as it arrived."""

    at: float
    method: str
    args: JSON
    error: str
    retry_after_s: float = 0.0


@dataclass(slots=True)
class WirelessSlack:
    """A local Slack on the running loop's clock. Every call takes `latency_s`."""

    latency_s: float = 0.05
    limit_scale: float = 0.0  # of what Slack documents; 0 = no limits
    slack: LocalSlack = field(init=False)
    calls: list[Call] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)  # ts that the next list of a thread does not show yet
    faults: list[Fault] = field(default_factory=list)
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.slack = LocalSlack(read_roster(app_name="Tandem"), dataclasses.replace(everything(), name="Tandem"))

    @property
    def client(self) -> AsyncWebClient:
        """Slack's own client, calling this Slack."""
        return _WirelessClient(self)

    def ask(self, channel: str = "C0GENERAL", user: str = "U0ADA", thread_ts: str = "") -> str:
        """A person's message; its ts."""
        roster = self.slack.roster
        message = people.say(
            self.slack, roster.users[user], roster.channels[channel], text="@Tandem hello", thread_ts=thread_ts
        )
        return message.ts

    def thread(self, channel: str, root: str) -> list[JSON]:
        """The bot's messages in a thread as they are, oldest first."""
        messages = self.slack.workspace.timeline(channel).messages.values()
        bot = self.slack.roster.bot_user.id
        return [
            dict(message.data, ts=message.ts) for message in messages if message.author == bot and message.root == root
        ]

    def named(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]

    def streaming(self, channel: str) -> bool:
        """Whether any message of the channel still streams."""
        return any(message.streaming for message in self.slack.workspace.timeline(channel).messages.values())

    def busy(self, channel: str, root: str) -> bool:
        """Whether people see a status in the thread."""
        session = self.slack.sessions.find(channel, root)
        return session is not None and session.is_busy

    async def request(self, method: str, args: JSON) -> JSON:
        """One call: what slack_sdk makes of an HTTP answer."""
        await asyncio.sleep(self.latency_s)
        fault = next(self._struck(method), None)
        body: JSON = {}
        if fault is None and (retry_after_s := self._limited(method, args)):
            fault = Fault(method, "limit", retry_after_s=retry_after_s)
        if fault is None or fault.effect:
            try:
                body = {"ok": True, **METHODS[method].run(self.slack, Arguments(args))}
                if method == "conversations.replies":
                    body["messages"] = [each for each in body["messages"] if each["ts"] not in self.unlisted]
                    self.unlisted.clear()
            except SlackError as refusal:
                body = {"ok": False, "error": refusal.code}
            except KeyError:
                body = {"ok": False, "error": "unknown_method"}
        error = str(body.get("error", "")) if fault is None else fault.code or fault.kind
        pause_s = fault.retry_after_s if fault is not None else 0.0
        self.calls.append(Call(asyncio.get_running_loop().time(), method, args, error, pause_s))
        if fault is None:
            return {"data": body, "headers": {}, "status_code": 200}
        if fault.kind == "trouble":
            raise ConnectionResetError("the connection broke")
        if fault.kind == "limit":
            headers = {"Retry-After": str(fault.retry_after_s)}
            return {"data": {"ok": False, "error": "ratelimited"}, "headers": headers, "status_code": 429}
        return {"data": {"ok": False, "error": fault.code}, "headers": {}, "status_code": 200}

    def _limited(self, method: str, args: JSON) -> int:
        """0, or the whole seconds of a Retry-After: Slack's own buckets, full at first."""
        if not self.limit_scale:
            return 0
        tier = METHODS[method].tier
        post = tier == "post"
        allowed = (5.0 if post else PER_MINUTE[tier]) * self.limit_scale
        per_s = self.limit_scale if post else allowed / 60
        key = (method, str(args.get("channel")) if post else "")
        now = asyncio.get_running_loop().time()
        bucket = self._buckets.setdefault(key, Bucket(allowed, per_s, allowed, now))
        return math.ceil(bucket.take(now))

    def _struck(self, method: str) -> Iterator[Fault]:
        for fault in self.faults:
            if fault.method == method and fault.times > 0:
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                yield fault


class _WirelessClient(AsyncWebClient):
    def __init__(self, slack: WirelessSlack) -> None:
        super().__init__("xoxb-playground", retry_handlers=[])
        self._slack = slack

    async def _request(self, *, http_verb: str, api_url: str, req_args: JSON) -> JSON:
        args = req_args.get("json") or req_args.get("params") or {}
        return await self._slack.request(api_url.rsplit("/", 1)[1], dict(args))
