"""Questions in, streamed answers out, by nothing but an aiohttp client: what the wire itself costs.

No store, no lease, no retry, no safety: an event is acknowledged, a status set, the model asked, and its text appended
to a native stream of Slack's, 256 characters at a time, as slack_sdk's own chat stream does.
"""

import argparse
import asyncio
import contextlib
import json
from typing import Any

import aiohttp

from bench.completion import completion

JSON = dict[str, Any]
BUFFER_CHARS = 256


class BareApp:
    """An app over Socket Mode."""

    def __init__(self, http: aiohttp.ClientSession, slack: str, model: str) -> None:
        self._http = http
        self._slack = slack
        self._model = model
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answer what comes until the socket ends."""
        url = (await self._call("apps.connections.open", token="xapp-playground"))["url"]  # noqa: S106
        async with self._http.ws_connect(url) as socket:
            async for frame in socket:
                envelope = json.loads(frame.data)
                if "envelope_id" not in envelope:
                    continue
                await socket.send_str(json.dumps({"envelope_id": envelope["envelope_id"]}))
                event = envelope["payload"]["event"]
                if event["type"] == "message" and "subtype" not in event and "bot_id" not in event:
                    self._start(self._answer(event))

    async def _answer(self, event: JSON) -> None:
        place = {"channel": event["channel"], "thread_ts": event.get("thread_ts") or event["ts"]}
        self._start(self._status(place))
        ts, waiting = "", ""
        async for piece in completion(self._http, self._model, event["text"]):
            waiting += piece
            if not ts:
                recipient = {"recipient_user_id": event["user"], "recipient_team_id": event["team"]}
                ts = (await self._call("chat.startStream", **place, **recipient, markdown_text=waiting))["ts"]
                waiting = ""
            elif len(waiting) >= BUFFER_CHARS:
                await self._call("chat.appendStream", channel=place["channel"], ts=ts, markdown_text=waiting)
                waiting = ""
        await self._call("chat.stopStream", channel=place["channel"], ts=ts, markdown_text=waiting)

    async def _status(self, place: JSON) -> None:
        shown = {"channel_id": place["channel"], "thread_ts": place["thread_ts"], "status": "processing"}
        await self._call("agents.sessions.setStatus", **shown)

    async def _call(self, method: str, *, token: str = "xoxb-playground", **arguments: Any) -> JSON:  # noqa: S107
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.post(f"{self._slack}/{method}", json=arguments, headers=headers) as response:
            answer: JSON = await response.json()
        if not answer["ok"]:
            raise RuntimeError(f"{method}: {answer}")
        return answer

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)


async def _main(slack: str, model: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await BareApp(http, slack, model).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.floor_bare")
    parser.add_argument("slack", help="base URL of Slack's Web API")
    parser.add_argument("model", help="root of the model's server")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(options.slack, options.model))
