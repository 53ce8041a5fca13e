"""Traces of real bots as a collector receives them: from event to reply, across processes, never in the way."""

import asyncio
import time
from pathlib import Path

from bot.telemetry.correlation import root_span_id, trace_id
from tests.doubles.collector import Collector, Sent, collector
from tests.doubles.gemma_server import gemma_server, refuses, says
from tests.doubles.lone_bot import lone_bot
from tests.doubles.tandem import serving
from tests.doubles.wire import Answer
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, Workspace
from tests.e2e.conftest import free_port, shown, until

GENERAL, ADA = "C0GENERAL", "U0ADA"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


def children(spans: Collector, of: Sent) -> set[str]:
    return {span.name for span in spans.spans if span.parent_id == of.span_id}


async def test_a_trace_leads_from_the_event_to_the_last_update_in_slack(tmp_path: Path) -> None:
    async with collector() as spans, gemma_server() as gemma:
        gemma.script(says(["The canary ", "sings ", "again."]))
        async with lone_bot(tmp_path, gemma.url, OTEL_EXPORTER_OTLP_ENDPOINT=spans.url, LOG_LEVEL="DEBUG") as bot:
            root = await bot.workspace.say(ADA, GENERAL, "@Tandem how is the canary?")
            await bot.answers(GENERAL, root)
        # the bot has ended, and has sent what it had

    turn = f"{GENERAL}:{root}"
    (accepted,), (answered,), (asked,) = spans.named("accept"), spans.named("answer"), spans.named("model.gemma")
    assert {span.trace_id for span in spans.spans} == {trace_id(turn)}
    assert (accepted.span_id, accepted.parent_id) == (root_span_id(turn), "")
    assert children(spans, accepted) == {"store.accept", "store.take", "answer"}
    assert {"model.gemma", "store.save", "slack.chat.postMessage", "slack.chat.update"} <= children(spans, answered)
    assert answered.attributes["tandem.attempt"] == 1 and answered.attributes["tandem.state"] == "answered"
    assert (asked.attributes["gen_ai.usage.input_tokens"], asked.attributes["gen_ai.usage.output_tokens"]) == (14, 3)
    assert accepted.start_ns <= answered.start_ns <= asked.start_ns < asked.end_ns <= answered.end_ns
    assert not any(span.failed for span in spans.spans)
    assert all(b"canary" not in body and b"Ada" not in body for body in spans.bodies)
    lines = [line for line in bot.tandem.log if line.get("turn") == turn]
    assert lines and {line["logging.googleapis.com/trace"] for line in lines} == {trace_id(turn)}
    assert answered.span_id in {line.get("logging.googleapis.com/spanId") for line in lines}


async def test_a_turn_that_another_process_finishes_stays_one_trace(tmp_path: Path) -> None:
    async with collector() as spans, gemma_server() as gemma, Workspace() as workspace:
        environment = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_URL": workspace.api_url,
            "GEMMA_URL": gemma.url,
            "TANDEM_STORE": f"sqlite:///{tmp_path / 'tandem.db'}",
            "TANDEM_LEASE_S": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": spans.url,
            **SOON,
        }
        gemma.standing = says([f"word{number} " for number in range(30)], pause_s=0.05)
        doomed = {**environment, "PORT": str(free_port()), "TANDEM_FAILPOINT": "mid_stream:20"}
        async with serving(doomed, tmp_path / "doomed.log") as first:
            await workspace.connected()
            root = await workspace.say(ADA, GENERAL, "@Tandem hello")
            await until(lambda: first.process.returncode is not None, timeout_s=20)
        async with serving({**environment, "PORT": str(free_port())}, tmp_path / "heir.log"):
            messages = await workspace.reply(GENERAL, root, root, timeout_s=30)

    turn = f"{GENERAL}:{root}"
    (accepted,), (answered,) = spans.named("accept"), spans.named("answer")
    assert "word29" in shown(messages)
    assert accepted.trace_id == answered.trace_id == trace_id(turn)
    assert answered.parent_id == accepted.span_id
    assert answered.instance != accepted.instance
    assert answered.attributes["tandem.attempt"] == 2


async def test_what_went_wrong_is_told_by_its_code(tmp_path: Path) -> None:
    async with collector() as spans, gemma_server() as gemma:
        gemma.standing = refuses(401, {"error": "canary"})
        async with lone_bot(tmp_path, gemma.url, OTEL_EXPORTER_OTLP_ENDPOINT=spans.url) as bot:
            root = await bot.workspace.say(ADA, GENERAL, "@Tandem hello")
            await bot.answers(GENERAL, root)

    (asked,), (answered,) = spans.named("model.gemma"), spans.named("answer")
    assert asked.failed and asked.attributes["error.type"] == "model_misconfigured"
    assert not answered.failed and answered.attributes["tandem.state"] == "failed"
    assert all(b"canary" not in body for body in spans.bodies)


async def test_a_collector_that_is_gone_or_hangs_costs_no_answer_and_no_time_at_the_end(tmp_path: Path) -> None:
    async with collector() as mute, gemma_server() as gemma:
        mute.standing = Answer(ending="hang")
        for number, address in enumerate([mute.url, f"http://127.0.0.1:{free_port()}"]):
            path = tmp_path / str(number)
            path.mkdir()
            async with lone_bot(path, gemma.url, OTEL_EXPORTER_OTLP_ENDPOINT=address, **SOON) as bot:
                for _ in range(3):
                    root = await bot.workspace.say(ADA, GENERAL, "@Tandem hello")
                    assert "the double." in shown(await bot.answers(GENERAL, root))
                await asyncio.sleep(0.2)
                before = time.monotonic()
                assert await bot.tandem.stop() == 0
                assert time.monotonic() - before < 10
