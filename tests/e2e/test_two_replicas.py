"""Two real bots on one Firestore: whichever hears of something, a thread has one answer, ended or finished."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.gemini_server import part, says, stream
from tests.doubles.llama import Llama
from tests.doubles.tandem import Tandem
from tests.doubles.tandem import serving as serving_tandem
from tests.doubles.wire import Answer
from tests.e2e.conftest import Team, everything, free_port, shown, team, until

GENERAL = "C0GENERAL"
LEASE_S = 3.0


@pytest.fixture
async def slack(tmp_path: Path, llama: Llama, emulator: FirestoreEmulator) -> AsyncIterator[Team]:
    settings = {"TANDEM_LEASE_S": str(LEASE_S), "TANDEM_DEFAULT_MODEL": "gemini"}
    async with team(tmp_path, llama, emulator, "socket", **settings) as deployed:
        yield deployed


@pytest.fixture
async def sibling(slack: Team, tmp_path: Path) -> AsyncIterator[Tandem]:
    environment = {**slack.environment, "PORT": str(free_port())}
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(serving_tandem(environment, tmp_path / "sibling.log"))


def story() -> Answer:
    """An answer of half a minute."""
    return stream(*(part(f"word{n} ") for n in range(600)), pause_s=0.05)


async def test_a_stop_ends_the_models_request_whichever_replica_hears_of_it(slack: Team, sibling: Tandem) -> None:
    for round_ in range(4):  # Slack chooses a socket by chance
        slack.gemini.hung_up.clear()
        slack.gemini.requests.clear()
        slack.gemini.script(story())
        ts = await slack.workspace.say("U0ADA", GENERAL, f"@Tandem story {round_}")
        await until(lambda: slack.gemini.requests)
        await asyncio.sleep(0.6)
        await slack.workspace.say("U0BEN", GENERAL, "!stop", ts)
        async with asyncio.timeout(2.5):
            await slack.gemini.hung_up.wait()
        messages = await slack.workspace.reply(GENERAL, ts, ts)

        assert len(messages) == 1 and "Stopped by Ben" in everything(messages)


async def test_a_replica_that_is_killed_leaves_its_answer_to_the_other_which_finishes_it_in_place(
    slack: Team, sibling: Tandem
) -> None:
    slack.gemini.script(story(), says("The whole answer."))
    ts = await slack.workspace.say("U0ADA", GENERAL, "@Tandem tell me")
    await until(lambda: slack.gemini.requests)
    async with asyncio.timeout(20):
        while len(await slack.workspace.messages(GENERAL, ts)) < 2:
            await asyncio.sleep(0.1)
    first = (await slack.workspace.messages(GENERAL, ts))[1]["ts"]
    running = _runner(int(slack.gemini.url.rpartition(":")[2]), slack.tandem, sibling)
    running.process.send_signal(signal.SIGKILL)
    await running.process.wait()
    async with asyncio.timeout(2 * LEASE_S + 8):
        while "The whole answer." not in shown(await slack.workspace.messages(GENERAL, ts)):
            await asyncio.sleep(0.1)
    messages = await slack.workspace.reply(GENERAL, ts, ts)

    assert [message["ts"] for message in messages] == [first] and shown(messages) == "The whole answer."
    assert [m.text for m in await slack.mirrored(GENERAL, ts)] == ["tell me", "The whole answer."]


def _runner(model_port: int, *bots: Tandem) -> Tandem:
    """The bot whose process talks to the model now."""
    for bot in bots:
        connections = psutil.Process(bot.process.pid).net_connections("tcp")
        if any(each.raddr and each.raddr.port == model_port for each in connections):
            return bot
    raise AssertionError("nobody runs the turn")
