"""Events over HTTP: what Slack signed is answered by the real Bolt behind the real server, all else is refused."""

import asyncio
import gzip
import hashlib
import hmac
import io
import json
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from multidict import CIMultiDict

from bot.errors import ConfigError
from bot.server import Server
from bot.slack.http import MAX_BODY_BYTES, HttpEvents
from tests.doubles.payloads import payload
from tests.doubles.slack_side import SlackSide, slack_side, until
from tests.doubles.workspace import SIGNING_SECRET, Workspace

ADA, GENERAL, DM = "U0ADA", "C0GENERAL", "D0ADA"
BODY = json.dumps(payload("app_mention")).encode()


@dataclass
class Bot:
    """The Slack side behind its server."""

    side: SlackSide
    workspace: Workspace
    server: Server
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def post(self, body: bytes, headers: Sequence[tuple[str, str]]) -> int:
        """The status that a POST to /slack/events gets."""
        every = CIMultiDict([("Content-Type", "application/json"), *headers])
        async with self.http.post(f"{self.url}/slack/events", data=io.BytesIO(body), headers=every) as answer:
            return answer.status


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    port = free_port()
    async with (
        Workspace(events_url=f"http://127.0.0.1:{port}/slack/events") as workspace,
        slack_side(workspace, tmp_path) as side,
        aiohttp.ClientSession() as http,
    ):
        await workspace.trouble(timing={"retry_delays_s": [0.1, 0.3, 0.6]})
        events = HttpEvents(side.app, SIGNING_SECRET)
        server = Server(
            "127.0.0.1", port, alive=lambda: "", ready=lambda: "still starting", post={"/slack/events": events}
        )
        await server.start()
        try:
            yield Bot(side, workspace, server, http)
        finally:
            await server.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def signed(body: bytes, *, at: float | None = None, secret: str = SIGNING_SECRET) -> list[tuple[str, str]]:
    """Slack's two headers."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return [("X-Slack-Request-Timestamp", timestamp), ("X-Slack-Signature", f"v0={digest}")]


async def test_a_mention_is_one_turn_though_two_events_announce_it(bot: Bot) -> None:
    ts = await bot.workspace.say(ADA, GENERAL, "@Tandem hello")
    await until(lambda: len(bot.side.intake.arrivals) == 2)

    assert bot.side.intake.turns == {f"{GENERAL}:{ts}": "hello"}
    assert all(each["acked"] for each in await bot.workspace.deliveries())


async def test_an_event_that_the_store_cannot_take_comes_again(bot: Bot) -> None:
    bot.side.intake.failures = 2
    ts = await bot.workspace.say(ADA, DM, "hello")
    await until(lambda: bot.side.intake.turns)

    assert bot.side.intake.turns == {f"{DM}:{ts}": "hello"}
    (delivery,) = await bot.workspace.deliveries()
    assert [attempt["reason"] for attempt in delivery["attempts"]] == ["http_error", "http_error", ""]


async def test_what_slack_signed_just_now_is_taken(bot: Bot) -> None:
    assert await bot.post(BODY, signed(BODY)) == 200
    assert await bot.post(BODY, signed(BODY, at=time.time() - 290)) == 200
    assert await bot.post(BODY, signed(BODY, at=time.time() + 290)) == 200
    assert len(bot.side.intake.turns) == 1


TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
GOOD = "v0=" + "0" * 64


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="nothing"),
        pytest.param([(SIGNATURE, GOOD)], id="no timestamp"),
        pytest.param([(TIMESTAMP, "NOW")], id="no signature"),
        pytest.param([(TIMESTAMP, ""), (SIGNATURE, GOOD)], id="empty timestamp"),
        pytest.param([(TIMESTAMP, "soon"), (SIGNATURE, GOOD)], id="no number"),
        pytest.param([(TIMESTAMP, "NaN"), (SIGNATURE, GOOD)], id="NaN"),
        pytest.param([(TIMESTAMP, "1e9"), (SIGNATURE, GOOD)], id="float"),
        pytest.param([(TIMESTAMP, "-1"), (SIGNATURE, GOOD)], id="negative"),
        pytest.param([(TIMESTAMP, "9" * 5000), (SIGNATURE, GOOD)], id="huge"),
        pytest.param([(TIMESTAMP, "[1763000000]"), (SIGNATURE, GOOD)], id="array"),
        pytest.param([(TIMESTAMP, "\u0661\u0662"), (SIGNATURE, GOOD)], id="digits of another script"),
        pytest.param([(TIMESTAMP, "NOW"), (TIMESTAMP, "NOW"), (SIGNATURE, GOOD)], id="two timestamps"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, GOOD), (SIGNATURE, GOOD)], id="two signatures"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, GOOD)], id="wrong signature"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, "")], id="empty signature"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, "v0=")], id="short signature"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, "v1=" + "0" * 64)], id="another version"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, "v0=" + "ä" * 64)], id="not ASCII"),
        pytest.param([(TIMESTAMP, "NOW"), (SIGNATURE, "v0=" + "0" * 6000)], id="long signature"),
    ],
)
async def test_what_slack_did_not_sign_is_refused(bot: Bot, headers: list[tuple[str, str]]) -> None:
    now = str(int(time.time()))

    status = await bot.post(BODY, [(name, now if value == "NOW" else value) for name, value in headers])

    assert status == 401
    assert not bot.side.intake.arrivals


async def test_stale_forged_and_changed_requests_are_refused(bot: Bot) -> None:
    assert await bot.post(BODY, signed(BODY, at=time.time() - 302)) == 401
    assert await bot.post(BODY, signed(BODY, at=time.time() + 302)) == 401
    assert await bot.post(BODY, signed(BODY, secret="another")) == 401
    assert await bot.post(BODY + b" ", signed(BODY)) == 401
    assert await bot.post(gzip.compress(BODY), [*signed(BODY + b"x"), ("Content-Encoding", "gzip")]) == 401
    assert not bot.side.intake.arrivals


async def test_what_is_too_large_is_refused_before_it_is_read(bot: Bot) -> None:
    large = b"x" * (MAX_BODY_BYTES + 1)

    assert await bot.post(large, signed(large)) == 413
    bomb = gzip.compress(b"x" * (50 * MAX_BODY_BYTES))
    assert await bot.post(bomb, [*signed(bomb), ("Content-Encoding", "gzip")]) == 413


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"{",
        b"[1, 2]",
        b'"text"',
        b'{"type": "event_callback"}',
        b'{"type": "event_callback", "event": null}',
        b'{"type": "event_callback", "event": "x"}',
        b'{"type": "event_callback", "event": {"type": 7}}',
        b'{"type": "event_callback", "event": {"type": "message"}, "authorizations": [7]}',
        b'{"a": ' * 5000 + b"1" + b"}" * 5000,
    ],
)
async def test_a_signed_body_that_is_no_payload_is_refused_or_left(bot: Bot, body: bytes) -> None:
    assert await bot.post(body, signed(body)) in (200, 400)
    assert not bot.side.intake.arrivals


async def test_the_address_is_verified_when_slack_asks(bot: Bot) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()

    async with bot.http.post(
        f"{bot.url}/slack/events", data=body, headers=CIMultiDict([("Content-Type", "application/json"), *signed(body)])
    ) as answer:
        assert (answer.status, await answer.json()) == (200, {"challenge": "abc"})


async def test_commands_come_by_the_same_address(bot: Bot) -> None:
    await bot.workspace.command(ADA, GENERAL, "/model")
    await until_shown(bot, "Gemma 3 12B")


async def until_shown(bot: Bot, words: str) -> None:
    async with asyncio.timeout(10):
        while not any(words in m["text"] for m in await bot.workspace.messages(GENERAL, user=ADA)):
            await asyncio.sleep(0.05)


async def test_an_unknown_interaction_is_acknowledged(bot: Bot) -> None:
    body = urlencode({"payload": json.dumps({"type": "view_submission", "view": {}, "team": {"id": "T0TANDEM"}})})
    headers = [*signed(body.encode()), ("Content-Type", "application/x-www-form-urlencoded")]

    async with bot.http.post(f"{bot.url}/slack/events", data=body, headers=CIMultiDict(headers)) as answer:
        assert answer.status == 200


async def test_health_and_readiness_say_what_is_wrong(bot: Bot) -> None:
    async with bot.http.get(f"{bot.url}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True, "problem": ""})
    async with bot.http.get(f"{bot.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (503, {"ok": False, "problem": "still starting"})
    async with bot.http.get(f"{bot.url}/slack/events") as answer:
        assert answer.status == 405


async def test_a_port_in_use_is_named_with_what_to_do(bot: Bot) -> None:
    second = Server("127.0.0.1", bot.server.port, alive=lambda: "", ready=lambda: "")

    with pytest.raises(ConfigError) as refused:
        await second.start()

    assert f"PORT={bot.server.port} is in use" in str(refused.value)
