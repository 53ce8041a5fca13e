"""Metrics of a real bot, scraped over HTTP: what people and servers do moves them as the table says."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from bot.llm.breaker import MIN_FAILURES
from bot.telemetry.names import METRICS
from tests.doubles.gemma_server import GemmaServer, gemma_server, refuses, says, text_event
from tests.doubles.lone_bot import LoneBot, lone_bot
from tests.doubles.tandem import serving
from tests.doubles.wire import Answer
from tests.e2e.conftest import free_port, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

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

    async def samples(self) -> dict[str, float]:
        """Every sample by `name{values}`, in the order of the labels' names."""
        _, text = await self.get()
        return {
            f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def becomes(self, wanted: float, sample: str) -> None:
        """Wait until a sample has this value."""
        found = None
        try:
            async with asyncio.timeout(15):
                while (found := (await self.samples()).get(sample, 0)) != wanted:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{sample} is {found}, not {wanted}")

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    """One bot for the tests that leave it as well as it was."""
    async with watched(tmp_path_factory.mktemp("bot")) as bot:
        yield bot


async def test_an_answer_moves_what_it_should_and_nothing_else(it: Watched) -> None:
    it.gemma.script(says(["one ", "two ", "three"]))
    before = await it.samples()
    root = await it.ask()
    assert len(await it.bot.answers(GENERAL, root)) == 1
    await it.becomes(before["tandem_turns_total{gemma,answered}"] + 1, "tandem_turns_total{gemma,answered}")
    after = await it.samples()

    moved = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    assert (moved["tandem_tokens_total{prompt,gemma}"], moved["tandem_tokens_total{answer,gemma}"]) == (14, 3)
    assert moved["tandem_cost_usd_total{gemma}"] == pytest.approx((14 * 2 + 3 * 10) / 1e6)
    assert moved["tandem_events_total{accepted}"] == moved["tandem_accept_to_ack_seconds_count{}"] >= 1
    assert 0 < moved["tandem_accept_to_ack_seconds_sum{}"] < 5
    assert moved["tandem_time_to_first_text_seconds_count{gemma}"] == 1
    assert 0 < moved["tandem_time_to_first_text_seconds_sum{gemma}"] < 20
    assert moved["tandem_slack_calls_total{chat.postMessage,ok}"] == 1
    assert moved["tandem_store_calls_total{save,ok}"] == moved["tandem_store_call_seconds_count{save}"] >= 3
    assert moved["tandem_store_call_seconds_count{accept}"] >= 1
    amiss = ("failed", "dead", "none", "not_taken", "unavailable", "rejected", "limited", "lost", "error", "breaker")
    assert [name for name in moved if any(word in name for word in amiss)] == []
    assert after["tandem_sockets_connected{}"] == 1
    assert after["tandem_turns_in_flight{}"] == after["tandem_turns_waiting{}"] == 0
    assert after["process_resident_memory_bytes{}"] > 1e7


async def test_what_runs_and_what_waits_is_seen_while_it_does(tmp_path: Path) -> None:
    async with watched(tmp_path, TANDEM_MAX_TURNS="1") as it:
        it.gemma.script(Answer(pieces=(text_event("endless "),), content_type="text/event-stream", ending="hang"))
        first = await it.ask()
        await it.becomes(1, "tandem_turns_in_flight{}")
        await it.gemma.answering.wait()  # else the stop may come first, and the second question meets this answer
        second = await it.ask()
        await it.becomes(1, "tandem_turns_waiting{}")

        await it.bot.workspace.say(ADA, GENERAL, "stop", first)
        await it.bot.answers(GENERAL, second)

        await it.becomes(1, "tandem_turns_total{gemma,stopped}")
        await it.becomes(1, "tandem_turns_total{gemma,answered}")
        await it.becomes(0, "tandem_turns_in_flight{}")
        await it.becomes(0, "tandem_turns_waiting{}")


async def test_a_429_of_slacks_is_counted_by_its_method(it: Watched) -> None:
    before = await it.samples()
    await it.bot.workspace.trouble(fail=[{"method": "chat.postMessage", "status": 429, "retry_after": 1}])
    await it.bot.answers(GENERAL, await it.ask())
    after = await it.samples()

    for sample in ("calls_total{chat.postMessage,rate_limited}", "rate_limited_total{chat.postMessage}"):
        assert after[f"tandem_slack_{sample}"] == 1
    posted = "tandem_slack_calls_total{chat.postMessage,ok}"
    assert after[posted] == before.get(posted, 0) + 1


async def test_a_model_that_keeps_failing_is_seen_to_rest(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.gemma.standing = refuses(500, {"error": {"message": "engine dead", "code": 500}})
        for root in [await it.ask() for _ in range(MIN_FAILURES)]:
            await it.bot.answers(GENERAL, root)

        await it.becomes(1, "tandem_breaker_open{gemma}")
        await it.becomes(MIN_FAILURES, "tandem_turns_total{gemma,failed}")


async def test_metrics_have_a_port_of_their_own_and_nothing_else_is_there(it: Watched) -> None:
    status, text = await it.get()
    elsewhere = [(await it.get(path))[0] for path in ("/healthz", "/readyz", "/slack/events", "/inspect")]
    on_the_main_port = await it.get(port=int(it.bot.tandem.url.rpartition(":")[2]))

    assert status == 200 and on_the_main_port[0] == 404
    assert elsewhere == [404, 404, 404, 404]
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP tandem_")}
    assert described == set(METRICS)


async def test_a_metrics_port_that_is_taken_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    settings = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "TANDEM_DEFAULT_MODEL": "demo"}
    log = tmp_path / "bot.log"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = settings | {"PORT": str(free_port()), "TANDEM_METRICS_PORT": str(port)}
        async with serving(environment, log, wait=False) as tandem:
            await until(lambda: tandem.process.returncode is not None, timeout_s=20)

    assert tandem.process.returncode
    assert f"TANDEM_METRICS_PORT={port} is in use on 127.0.0.1 already" in log.read_text("utf-8")
