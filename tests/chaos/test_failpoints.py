"""A process dies at each point between two steps of a turn: the question ends in one answer, in one message."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.failpoints import POINTS
from tests.chaos.hall import LEASE_S, PLACES, Hall, open_hall
from tests.doubles.firestore_emulator import FirestoreEmulator

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

SPOKEN = 12  # pieces of text: by then some of it is shown


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory, emulator: FirestoreEmulator) -> AsyncIterator[Hall]:
    async with open_hall(tmp_path_factory.mktemp("failpoints"), emulator) as hall:
        yield hall


@pytest.mark.parametrize("mode", PLACES)
@pytest.mark.parametrize("point", POINTS)
async def test_whoever_dies_at_a_point_leaves_its_question_to_the_other_process(
    hall: Hall, point: str, mode: str
) -> None:
    if not hall.fleet.bots:
        await hall.fleet.start()
    since = len(hall.questions)
    doomed = await hall.fleet.start(TANDEM_FAILPOINT=f"{point}:{SPOKEN}" if point == "mid_stream" else point)

    assert await hall.fell(doomed, PLACES[mode])
    await hall.settled(since)


@pytest.mark.parametrize("mode", PLACES)
async def test_a_process_that_dies_alone_finishes_its_question_when_it_is_started_again(hall: Hall, mode: str) -> None:
    for bot in list(hall.fleet.bots):
        assert await hall.fleet.end(bot) == 0
    since = len(hall.questions)
    doomed = await hall.fleet.start(TANDEM_FAILPOINT="after_opening")

    assert await hall.fell(doomed, PLACES[mode])
    await hall.fleet.start()
    await hall.settled(since)


async def test_nothing_was_doubled_later(hall: Hall) -> None:
    assert hall.questions
    await asyncio.sleep(2 * LEASE_S)
    await hall.settled()
