"""The same floor on Slack's own framework: slack_bolt's AsyncApp over Socket Mode, with one shared HTTP session.

With `--gemini` it asks through google-genai: the difference is what that SDK costs, whoever uses it.
"""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bench.completion import completion
from bench.floor_bare import BUFFER_CHARS

JSON = dict[str, Any]
Ask = Callable[[str], AsyncIterator[str]]


def build(client: AsyncWebClient, ask: Ask) -> AsyncApp:
    """An app that answers every message."""
    app = AsyncApp(client=client)
    background: set[asyncio.Task[Any]] = set()

    @app.event("message")
    async def answer(event: JSON) -> None:
        place = {"channel": event["channel"], "thread_ts": event.get("thread_ts") or event["ts"]}
        shown = {"channel_id": place["channel"], "thread_ts": place["thread_ts"], "status": "processing"}
        task = asyncio.create_task(client.api_call("agents.sessions.setStatus", json=shown))
        background.add(task)
        task.add_done_callback(background.discard)
        ts, waiting = "", ""
        async for piece in ask(event["text"]):
            waiting += piece
            if not ts:
                recipient = {"recipient_user_id": event["user"], "recipient_team_id": event["team"]}
                started = await client.chat_startStream(**place, **recipient, markdown_text=waiting)
                ts, waiting = started["ts"], ""
            elif len(waiting) >= BUFFER_CHARS:
                await client.chat_appendStream(channel=place["channel"], ts=ts, markdown_text=waiting)
                waiting = ""
        await client.chat_stopStream(channel=place["channel"], ts=ts, markdown_text=waiting)

    return app


def gemini(http: aiohttp.ClientSession, url: str) -> Ask:
    """Ask as google-genai does, over the same session."""
    from google.genai import Client, types

    options = types.HttpOptions(aiohttp_client=http, base_url=url)
    client = Client(api_key="a-key", http_options=options)

    async def ask(prompt: str) -> AsyncIterator[str]:
        async for response in await client.aio.models.generate_content_stream(model="gemini-floor", contents=prompt):
            yield response.text or ""

    return ask


async def _main(slack: str, model: str, *, with_gemini: bool) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        client = AsyncWebClient(token="xoxb-playground", base_url=f"{slack}/", session=http)  # noqa: S106
        app = build(client, gemini(http, model) if with_gemini else partial(completion, http, model))
        handler = AsyncSocketModeHandler(app, "xapp-playground", web_client=client)
        await handler.start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.floor_bolt")
    parser.add_argument("slack", help="base URL of Slack's Web API")
    parser.add_argument("model", help="root of the model's server")
    parser.add_argument("--gemini", action="store_true", help="ask through google-genai")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(options.slack, options.model, with_gemini=options.gemini))
