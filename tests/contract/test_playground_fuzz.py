"""Hypothesis writes bodies and arguments; the playground answers each with a code, and none with a server error."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.control import ROUTES
from playground.web_api import METHODS
from tests.doubles.in_process import ADA, GENERAL, TEAM, InProcess
from tests.doubles.workspace import BOT_TOKEN

JSON = dict[str, Any]


class Fuzzed:
    """A playground that lives as long as the module's tests, driven from tests that are not async."""

    def __init__(self, runner: asyncio.Runner, slack: InProcess, http: aiohttp.ClientSession) -> None:
        self._runner = runner
        self._slack = slack
        self._http = http
        self.root = str(runner.run(slack.ask()))

    def post(self, path: str, data: bytes, content_type: str | None) -> tuple[int, bytes]:
        return self._runner.run(self._post(path, data, content_type))

    async def _post(self, path: str, data: bytes, content_type: str | None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
        skipped = ["Content-Type"] if content_type is None else []
        if content_type is not None:
            headers["Content-Type"] = content_type
        url = f"{self._slack.url}{path}"
        async with self._http.post(url, data=io.BytesIO(data), headers=headers, skip_auto_headers=skipped) as response:
            return response.status, await response.read()


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Fuzzed]:
    with asyncio.Runner() as runner:
        slack = InProcess()
        runner.run(slack.__aenter__())
        http: aiohttp.ClientSession = runner.run(_session())
        yield Fuzzed(runner, slack, http)
        runner.run(http.close())
        runner.run(slack.__aexit__(None, None, None))


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(trust_env=False)


def code_of(status: int, body: bytes) -> str:
    """The error code of an answer that is one of Slack's."""
    assert status == 200, body
    answer = json.loads(body)
    assert answer["ok"] is True or isinstance(answer["error"], str)
    assert answer.get("error") != "internal_error", answer
    return str(answer.get("error", ""))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([GENERAL, ADA, "1.000001"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "id"]), inner),
    max_leaves=8,
)
names = st.sampled_from(
    ["blocks", "channel", "chunks", "cursor", "files", "limit", "markdown_text", "metadata", "oldest", "parse",
     "prompts", "status", "text", "thread_ts", "title", "ts", "types", "users", "username", "view"]
)  # fmt: skip
arguments = st.dictionaries(names, values, max_size=4)
content_types = st.sampled_from(
    [
        "application/json", "application/json; charset=utf-7", "application/json; charset=nonsense",
        "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
        "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "", None,
    ]
)  # fmt: skip


@given(method=st.sampled_from(sorted(METHODS)), odd=arguments)
@settings(max_examples=300, deadline=None)
def test_any_arguments_get_an_answer(fuzzed: Fuzzed, method: str, odd: JSON) -> None:
    usual = {"channel": GENERAL, "channel_id": GENERAL, "thread_ts": fuzzed.root, "text": "x", "status": "active"}
    usual |= {
        "recipient_user_id": ADA,
        "recipient_team_id": TEAM,
        "timestamp": fuzzed.root,
        "name": "eyes",
        "user": ADA,
    }
    body = json.dumps({**usual, **odd}).encode("utf-8", "replace")
    code_of(*fuzzed.post(f"/api/{method}", body, "application/json"))


@given(body=st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "replace")), kind=content_types)
@settings(max_examples=200, deadline=None)
def test_any_body_gets_an_answer(fuzzed: Fuzzed, body: bytes, kind: str | None) -> None:
    code_of(*fuzzed.post("/api/chat.postMessage", body, kind))
    for path in ("/hooks/none", "/files/upload/none"):
        assert fuzzed.post(path, body, kind)[0] < 500


@given(route=st.sampled_from(sorted(name for verb, name in ROUTES if verb == "POST")), odd=arguments)
@settings(max_examples=150, deadline=None)
def test_any_control_call_gets_an_answer(fuzzed: Fuzzed, route: str, odd: JSON) -> None:
    if route in ("reset", "trouble"):
        odd = {**odd, "gremlins": 1}
    body = json.dumps({"as": ADA, "timeout_s": 0.01, "settle_s": 0.01, **odd}).encode("utf-8", "replace")
    code_of(*fuzzed.post(f"/_/{route}", body, "application/json"))


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"[" * 100_000, "application/json", "invalid_json"),
        (b'{"blocks":' + b"[" * 200 + b"]" * 200 + b"}", "application/json", "invalid_json"),
        (b'{"text":NaN}', "application/json", "invalid_json"),
        (b'{"limit":1e999}', "application/json", "invalid_json"),
        (b'{"text":"\xff"}', "application/json", "invalid_json"),
        (b"{}", "application/json; charset=nonsense", "invalid_charset"),
        (b"x", "multipart/form-data", "invalid_form_data"),
        (b"x", None, "missing_post_type"),
        (b"x", "image/png", "invalid_post_type"),
        (b'"' + b"x" * 4_000_000 + b'"', "application/json", "request_too_large"),
        (b"channel=C0GENERAL&blocks=" + b"%5B" * 5000, "application/x-www-form-urlencoded", "invalid_blocks_format"),
        (b'{"channel":"C0GENERAL","text":"\\ud83d"}', "application/json", ""),
        (b"", "application/json", "invalid_arguments"),
        (b"channel=C0GENERAL", "application/x-www-form-urlencoded", "no_text"),
    ],
)
def test_a_malformed_or_oversized_body_has_its_code(
    fuzzed: Fuzzed, caplog: pytest.LogCaptureFixture, body: bytes, content_type: str | None, code: str
) -> None:
    assert code_of(*fuzzed.post("/api/chat.postMessage", body, content_type)) == code
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
