"""Processes that drain, freeze, die or lose the store while questions come: each has one answer, in one message."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.conversation.thread import ThreadKey
from bot.failpoints import EXIT_CODE
from tests.chaos.hall import PAUSE_S, PLACES, WORDS, Hall, open_hall
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.gemma_server import says
from tests.doubles.tandem import Tandem
from tests.e2e.conftest import shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENT = {"retry_delays_s": [0.5, 2, *[4] * 20]}
CHANNELS = tuple(PLACES.values())
QUESTIONS = 8
LEASE_S = 4.0  # not so short that a busy machine loses leases by itself
PATIENCE_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory, emulator: FirestoreEmulator) -> AsyncIterator[Hall]:
    async with open_hall(tmp_path_factory.mktemp("lost"), emulator, LEASE_S) as hall:
        await hall.fleet.workspace.trouble(timing=PATIENT)
        yield hall


@pytest_asyncio.fixture(loop_scope="module")
async def hall(deployment: Hall) -> Hall:
    """Two bots at least."""
    while len(deployment.fleet.bots) < 2:
        await deployment.fleet.start()
    deployment.gemma.standing = says(WORDS, pause_s=PAUSE_S)
    return deployment


async def ask(hall: Hall, every_s: float = 0.0, count: int = QUESTIONS) -> None:
    """Questions in turn in a channel and in a direct message."""
    for number in range(count):
        await hall.ask(CHANNELS[number % len(CHANNELS)])
        await asyncio.sleep(every_s)


async def test_who_is_killed_while_it_drains_leaves_its_answers_to_the_others(hall: Hall) -> None:
    since = len(hall.questions)
    hall.gemma.standing = says(WORDS, pause_s=4 * PAUSE_S)
    await ask(hall)
    await asyncio.sleep(0.8)
    leaving = hall.fleet.bots[0]
    leaving.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.8)
    assert leaving.process.returncode is None, "it had nothing to finish"
    await hall.fleet.kill(leaving)

    await hall.settled(since, PATIENCE_S)


async def test_who_freezes_for_longer_than_its_lease_changes_nothing_when_it_goes_on(hall: Hall) -> None:
    since = len(hall.questions)
    await ask(hall)
    await asyncio.sleep(0.5)
    await hall.fleet.freeze(hall.fleet.bots[0], 2 * LEASE_S + 1)
    await hall.settled(since, PATIENCE_S)
    await asyncio.sleep(LEASE_S)

    await hall.settled(since, PATIENCE_S)


async def test_while_all_processes_are_replaced_one_by_one_every_question_takes_one_attempt(hall: Hall) -> None:
    since = len(hall.questions)
    asking = asyncio.create_task(ask(hall, every_s=0.2, count=30))
    codes = []
    for bot in list(hall.fleet.bots):
        await hall.fleet.start()
        codes.append(await hall.fleet.end(bot))
    await asking
    await hall.settled(since, PATIENCE_S)
    turns = [await hall.mirror.turns.turn(f"{channel}:{ts}") for channel, ts in hall.questions[since:]]

    assert codes == [0, 0]
    assert {turn and turn.attempts for turn in turns} == {1}


async def test_questions_that_come_while_every_process_is_dead_are_answered_by_the_next(hall: Hall) -> None:
    since = len(hall.questions)
    await ask(hall)
    await asyncio.sleep(0.3)
    for bot in list(hall.fleet.bots):
        await hall.fleet.kill(bot)
    await ask(hall)
    await asyncio.sleep(1.0)
    await hall.fleet.start()

    await hall.settled(since, PATIENCE_S)


async def test_nothing_is_acknowledged_while_the_store_is_away_and_nothing_lost(
    hall: Hall, emulator: FirestoreEmulator
) -> None:
    since = len(hall.questions)
    await ask(hall)
    await asyncio.sleep(0.4)
    began = time.time()
    with emulator.frozen():
        await ask(hall)
        await asyncio.sleep(4.0)
        ended = time.time()
    new = {ts for _, ts in hall.questions[since + QUESTIONS :]}
    deliveries = await hall.fleet.workspace.deliveries()
    attempts = [each for one in deliveries if one["payload"]["event"].get("ts") in new for each in one["attempts"]]
    await hall.settled(since, PATIENCE_S)

    assert len(attempts) >= len(new)
    assert not [each for each in attempts if each["acked"] and began < each["at"] < ended]


async def test_what_slack_gave_up_on_is_answered_when_its_thread_is_next_heard_of(
    hall: Hall, emulator: FirestoreEmulator
) -> None:
    slack = hall.fleet.workspace
    while len(hall.fleet.bots) > 1:
        await hall.fleet.end(hall.fleet.bots[0])
    channel, root = await hall.ask(CHANNELS[0])
    await hall.settled(len(hall.questions) - 1, PATIENCE_S)
    await slack.trouble(timing={"retry_delays_s": [0.2]})
    with emulator.frozen():
        lost = await slack.say("U0ADA", channel, "and this?", root)
        async with asyncio.timeout(PATIENCE_S):
            while not any(
                one["payload"]["event"].get("ts") == lost and one["lost"] for one in await slack.deliveries()
            ):
                await asyncio.sleep(0.1)
    await slack.trouble(timing=PATIENT)
    last = await slack.say("U0ADA", channel, "are you there?", root)

    async with asyncio.timeout(PATIENCE_S):
        while len(answered := [turn for ts in (lost, last) if (turn := await hall.turn(channel, ts))]) < 2 or any(
            turn.open for turn in answered
        ):
            await asyncio.sleep(0.1)
    mirrored = await hall.mirror.threads.messages(ThreadKey(channel, root))
    assert [turn.state for turn in answered] == ["answered"] * 2
    assert [m.question_ts for m in mirrored if m.role == "model"] == [root, lost, last]


async def test_a_question_that_kills_every_process_ends_in_words_after_three_attempts(hall: Hall) -> None:
    for bot in list(hall.fleet.bots):
        assert await hall.fleet.end(bot) == 0
    ts = await hall.fleet.workspace.say("U0ADA", CHANNELS[0], "@Tandem poison")
    codes: list[int] = []
    while len(codes) < 3:
        bot = await hall.fleet.start(wait=False, TANDEM_FAILPOINT="mid_stream")
        codes.append(await died(bot))
        hall.fleet.bots.remove(bot)
    await hall.fleet.start(TANDEM_FAILPOINT="mid_stream")
    [answer] = await hall.fleet.workspace.reply(CHANNELS[0], ts, ts, PATIENCE_S)
    turn = await hall.mirror.turns.turn(f"{CHANNELS[0]}:{ts}")

    assert codes == [EXIT_CODE] * 3
    assert "I tried several times" in shown([answer])
    assert turn is not None and turn.state == "dead"
    assert await hall.mirror.turns.open_turns(ThreadKey(CHANNELS[0], ts)) == []


async def died(bot: Tandem) -> int:
    """Wait for its end."""
    async with asyncio.timeout(PATIENCE_S):
        return await bot.process.wait()
