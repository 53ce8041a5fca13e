"""Metrics of a real bot, scraped over HTTP: what people and servers do moves them as the table says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.llm.breaker import MIN_FAILURES
from bot.telemetry.names import METRICS
from tests.doubles.gemma_server import GemmaServer, gemma_server, refuses, says, text_event
from tests.doubles.lone_bot import LoneBot, lone_bot
from tests.doubles.tandem import serving
from tests.doubles.wire import Answer
from tests.e2e.conftest import free_port, until

GENERAL, ADA = "C0GENERAL", "U0ADA"
CATALOGUE = """
[[model]]
id = "gemma"
label = "Gemma"
provider = "gemma"
where = "self-hosted"
context_tokens = 4000
answer_tokens = 100
price_in = 2.0
price_out = 10.0
"""


@dataclass(slots=True)
class Watched:
    """A bot, its model, and where its metrics are."""

    bot: LoneBot
    gemma: GemmaServer
    port: int

    async def get(self, path: str = "/metrics", port: int = 0) -> tuple[int, str]:
        """Status and text of an answer."""
        url = f"http://127.0.0.1:{port or self.port}{path}"
        async with aiohttp.ClientSession(trust_env=False) as http, http.get(url) as answer:
            return answer.status, await answer.text()

    async def value(self, name: str, **labels: str) -> float:
        """One sample; 0 where there is none."""
        _, text = await self.get()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), 0.0)

    async def becomes(self, wanted: float, name: str, **labels: str) -> None:
        """Wait until a sample has this value."""
        found = None
        try:
            async with asyncio.timeout(15):
                while (found := await self.value(name, **labels)) != wanted:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{name}{labels} is {found}, not {wanted}")

    async def ask(self, text: str = "@Tandem hello") -> str:
        """A question in a thread of its own; its ts."""
        return await self.bot.workspace.say(ADA, GENERAL, text)


@asynccontextmanager
async def watched(path: Path, **settings: str) -> AsyncIterator[Watched]:
    (path / "models.toml").write_text(CATALOGUE)
    port = free_port()
    async with gemma_server() as gemma:
        more = {"TANDEM_METRICS_PORT": str(port), "TANDEM_MODELS": str(path / "models.toml"), **settings}
        async with lone_bot(path, gemma.url, **more) as bot:
            yield Watched(bot, gemma, port)


async def test_an_answer_moves_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.gemma.script(says(["one ", "two ", "three"]))
        root = await it.ask()
        assert len(await it.bot.answers(GENERAL, root)) == 1
        await it.becomes(1, "tandem_turns_total", model="gemma", outcome="answered")

        assert await it.value("tandem_turns_total", model="gemma", outcome="failed") == 0
        tokens = [await it.value("tandem_tokens_total", model="gemma", kind=kind) for kind in ("prompt", "answer")]
        assert tokens == [14, 3]
        assert await it.value("tandem_cost_usd_total", model="gemma") == pytest.approx((14 * 2 + 3 * 10) / 1e6)
        assert await it.value("tandem_events_total", fate="accepted") >= 1
        assert await it.value("tandem_accept_to_ack_seconds_count") >= 1
        assert 0 < await it.value("tandem_accept_to_ack_seconds_sum") < 5
        assert await it.value("tandem_time_to_first_text_seconds_count", model="gemma") == 1
        assert 0 < await it.value("tandem_time_to_first_text_seconds_sum", model="gemma") < 20
        assert await it.value("tandem_slack_calls_total", method="chat.postMessage", outcome="ok") == 1
        assert await it.value("tandem_slack_rate_limited_total") == 0
        saves = await it.value("tandem_store_calls_total", operation="save", outcome="ok")
        assert saves == await it.value("tandem_store_call_seconds_count", operation="save") >= 3
        assert await it.value("tandem_store_call_seconds_count", operation="accept") >= 1
        assert await it.value("tandem_sockets_connected") == 1
        assert await it.value("tandem_breaker_open", model="gemma") == 0
        assert await it.value("tandem_turns_in_flight") == await it.value("tandem_turns_waiting") == 0
        assert await it.value("process_resident_memory_bytes") > 1e7


async def test_what_runs_and_what_waits_is_seen_while_it_does(tmp_path: Path) -> None:
    async with watched(tmp_path, TANDEM_MAX_TURNS="1") as it:
        it.gemma.script(Answer(pieces=(text_event("endless "),), content_type="text/event-stream", ending="hang"))
        first = await it.ask()
        await it.becomes(1, "tandem_turns_in_flight")
        second = await it.ask()
        await it.becomes(1, "tandem_turns_waiting")

        await it.bot.workspace.say(ADA, GENERAL, "stop", first)
        await it.bot.answers(GENERAL, second)

        await it.becomes(1, "tandem_turns_total", model="gemma", outcome="stopped")
        await it.becomes(1, "tandem_turns_total", model="gemma", outcome="answered")
        await it.becomes(0, "tandem_turns_in_flight")
        assert await it.value("tandem_turns_waiting") == 0


async def test_a_429_of_slacks_is_counted_by_its_method(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        limited = {"method": "chat.postMessage", "status": 429, "retry_after": 1}
        await it.bot.workspace.trouble(fail=[limited])
        await it.bot.answers(GENERAL, await it.ask())

        assert await it.value("tandem_slack_rate_limited_total", method="chat.postMessage") == 1
        assert await it.value("tandem_slack_calls_total", method="chat.postMessage", outcome="rate_limited") == 1
        assert await it.value("tandem_slack_calls_total", method="chat.postMessage", outcome="ok") == 1


async def test_a_model_that_keeps_failing_is_seen_to_rest(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.gemma.standing = refuses(500, {"error": {"message": "engine dead", "code": 500}})
        for _ in range(MIN_FAILURES):
            await it.bot.answers(GENERAL, await it.ask())

        await it.becomes(1, "tandem_breaker_open", model="gemma")
        failed = await it.value("tandem_turns_total", model="gemma", outcome="failed")
        assert failed == MIN_FAILURES
        assert await it.value("tandem_cost_usd_total", model="gemma") == 0


async def test_metrics_have_a_port_of_their_own_and_nothing_else_is_there(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        status, text = await it.get()
        elsewhere = [(await it.get(path))[0] for path in ("/healthz", "/readyz", "/slack/events", "/inspect")]
        on_the_main_port = await it.get(port=int(it.bot.tandem.url.rpartition(":")[2]))

    assert status == 200 and on_the_main_port[0] == 404
    assert elsewhere == [404, 404, 404, 404]
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP tandem_")}
    assert described == set(METRICS)


async def test_a_metrics_port_that_is_taken_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        settings = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "TANDEM_DEFAULT_MODEL": "demo"}
        environment = settings | {"PORT": str(free_port()), "TANDEM_METRICS_PORT": str(it.port)}
        log = tmp_path / "second.log"
        async with serving(environment, log, wait=False) as second:
            await until(lambda: second.process.returncode is not None, timeout_s=20)

    assert second.process.returncode
    assert f"TANDEM_METRICS_PORT={it.port} is in use on 127.0.0.1 already" in log.read_text("utf-8")
