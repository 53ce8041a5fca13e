"""What every TurnStore promises of pulses: outages are known to all, and what a dead process was told is not lost."""

import time
from dataclasses import replace

import pytest

from bot.conversation.mirror import Outage, Signal, Taken
from bot.store import Mirror
from tests.doubles.replicas import KEY, Replicas, asked, take

SILENT_S = 0.3
NOW = time.time()


def outages(*pairs: tuple[float, float]) -> list[Outage]:
    return [Outage(NOW + since, NOW + until) for since, until in pairs]


async def test_the_first_pulse_knows_of_no_outage(mirror: Mirror) -> None:
    assert await mirror.turns.pulse([], silent_s=SILENT_S) == []


async def test_pulses_that_come_in_time_are_no_outage_whoever_gives_them(replicas: Replicas) -> None:
    for mirror in (await replicas.open(), await replicas.open()):
        assert await mirror.turns.pulse([], silent_s=60) == []


async def test_a_silence_is_an_outage_that_every_process_hears_of(replicas: Replicas) -> None:
    before, after = await replicas.open(), await replicas.open()
    await before.turns.pulse([], silent_s=0)

    (found,) = await after.turns.pulse([], silent_s=0)

    assert found.since < found.until
    assert list(await before.turns.pulse([], silent_s=60)) == [found]


async def test_what_a_process_missed_is_told_to_all(replicas: Replicas) -> None:
    deaf, other = await replicas.open(), await replicas.open()
    await deaf.turns.pulse(outages((-30, -10)), silent_s=60)
    assert await other.turns.pulse([], silent_s=60) == pytest.approx(outages((-30, -10)))


async def test_outages_that_overlap_are_one_and_those_of_yesterday_are_forgotten(mirror: Mirror) -> None:
    await mirror.turns.pulse(outages((-30, -10), (-90_000, -87_000)), silent_s=60)
    told = await mirror.turns.pulse(outages((-20, -5), (-100, -90)), silent_s=60)
    assert list(told) == outages((-100, -90), (-30, -5))


async def test_a_taker_is_told_whom_it_takes_over_from(replicas: Replicas) -> None:
    dead, taker = await replicas.open(), await replicas.open()
    await dead.turns.accept(*asked())
    first = await take(dead.turns, owner="dead")
    second = await taker.turns.take(KEY, "taker", 0.0)
    assert first.former_owner == ""
    assert isinstance(second, Taken) and second.former_owner == "dead"


async def test_nobody_is_taken_over_from_who_gave_the_thread_up(replicas: Replicas) -> None:
    mirror = await replicas.open()
    await mirror.turns.accept(*asked())
    first = await take(mirror.turns, owner="a")
    await mirror.turns.release(first.lease, first.turn)
    assert (await take(mirror.turns, owner="b")).former_owner == ""


async def test_words_to_a_dead_process_can_be_looked_at_again_and_again(mirror: Mirror) -> None:
    word = Signal("stop", KEY, "1700000009.000000", "U1")
    await mirror.turns.signal("dead", word)
    assert [list(await mirror.turns.signals("dead", keep=True)) for _ in range(2)] == [[word], [word]]
    assert list(await mirror.turns.signals("dead")) == [word]
    assert list(await mirror.turns.signals("dead", keep=True)) == []


async def test_what_a_turn_lists_stays_with_it(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(replace(turn, missed=(turn.question_ts, "1700000001.000000")), question)
    assert (await take(mirror.turns)).turn.missed == (turn.question_ts, "1700000001.000000")
