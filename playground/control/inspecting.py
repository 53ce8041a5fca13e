"""What developers look into: the wire so far, the bot's mirror of a thread, a file that somebody attached."""

import json
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from playground.control.values import channel_of, text_of, user_of
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.wire import call_entry, delivery_entry

JSON = dict[str, Any]

MOST_ENTRIES = 500
STORE_TIMEOUT_S = 3.0
MOST_STORE_BYTES = 16 * 1024 * 1024


async def wire(slack: LocalSlack, values: JSON) -> JSON:
    """The newest entries of the Wire view, oldest first; `limit` 500 at most."""
    user_of(slack, values)
    limit = min(max(int(values.get("limit") or MOST_ENTRIES), 1), MOST_ENTRIES)
    calls = [call_entry(call, answer) for call, answer in list(slack.record.recent)[-limit:]]
    sent = [delivery_entry(delivery) for delivery in list(slack.deliveries.log)[-limit:]]
    return {"entries": sorted([*calls, *sent], key=lambda entry: float(entry["at"]))[-limit:]}


async def store(slack: LocalSlack, values: JSON) -> JSON:
    """A thread as the bot's mirror holds it. Raises SlackError no_store, store_unreachable, store_refused."""
    user_of(slack, values)
    channel, thread_ts = channel_of(slack, values), text_of(values, "thread_ts")
    if not slack.inspect_url:
        raise SlackError("no_store")
    answer = await _asked(slack.inspect_url, {"channel": channel.id, "thread_ts": thread_ts})
    if not answer.get("ok"):
        raise SlackError("store_refused", message=str(answer.get("error", "")))
    return {name: answer.get(name) for name in ("thread", "messages", "open_turns")}


async def _asked(url: str, query: dict[str, str]) -> JSON:
    timeout = aiohttp.ClientTimeout(total=STORE_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as http,
            http.get(url, params=query, allow_redirects=False) as response,
        ):
            body: Any = json.loads(await _read(response))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise SlackError("store_unreachable", message=f"{url}: {type(error).__name__}") from None
    except ValueError:
        raise SlackError("store_refused", message=f"{url} did not answer with JSON") from None
    if not isinstance(body, dict):
        raise SlackError("store_refused", message=f"{url} did not answer with a JSON object")
    return body


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body. Raises ValueError when there is too much of it."""
    pieces = bytearray()
    async for piece in response.content.iter_chunked(65536):
        pieces += piece
        if len(pieces) > MOST_STORE_BYTES:
            raise ValueError("too large")
    return bytes(pieces)


async def file(slack: LocalSlack, request: web.Request) -> web.Response:
    """A file for a person who sees a message that carries it: always as a download, never drawn by the browser."""
    values: JSON = dict(request.query)
    try:
        user, wanted = user_of(slack, values), text_of(values, "id")
        if not slack.workspace.shows_file(wanted, user.id):
            raise SlackError("file_not_found")
        found = slack.files.get(wanted)
    except SlackError as error:
        return web.json_response({"ok": False, "error": error.code}, status=404)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return web.Response(body=found.content, content_type=found.mimetype, headers=headers)
