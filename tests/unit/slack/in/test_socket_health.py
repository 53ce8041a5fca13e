"""What ails a Socket Mode connection is told from its signs of life; opening another keeps to Slack's pace."""

import random

import pytest

from bot.slack.socket_client import OPENS_PER_MINUTE, OpenPace
from bot.slack.socket_health import Health, Timing

TIMING = Timing()


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(TIMING, clock)


def test_a_greeted_connection_is_well(health: Health) -> None:
    health.heard("socket", is_hello=True)

    assert health.look("socket", is_up=True) == "well"
    assert health.connected


def test_a_hello_is_enough_to_be_connected_before_the_next_look(health: Health) -> None:
    health.look("socket", is_up=True)
    assert not health.connected

    health.heard("socket", is_hello=True)

    assert health.connected


def test_sockets_that_are_dropped_after_their_hello_are_no_connection(health: Health, clock: Clock) -> None:
    for _ in range(60):
        health.heard(object(), is_hello=True)
        clock.now += 1
        assert health.look(None, is_up=False) in ("down", "stuck")
        assert clock.now < 1004 or not health.connected
        clock.now += 2

    assert health.problem()


def test_a_connection_is_not_trusted_before_hello(health: Health, clock: Clock) -> None:
    assert health.look("socket", is_up=True) == "well"
    clock.now += 9
    assert health.look("socket", is_up=True) == "well"
    clock.now += 2
    assert health.look("socket", is_up=True) == "mute"
    clock.now += 1
    assert health.look("socket", is_up=True) == "well"


def test_a_hello_of_the_last_connection_does_not_count_for_the_next(health: Health, clock: Clock) -> None:
    health.heard("first", is_hello=True)
    health.look("first", is_up=True)
    health.look("second", is_up=True)
    clock.now += 11

    assert health.look("second", is_up=True) == "mute"


def test_a_connection_that_is_quiet_for_two_minutes_is_replaced_once(health: Health, clock: Clock) -> None:
    health.heard("socket", is_hello=True)
    health.look("socket", is_up=True)
    clock.now += 119
    health.heard("socket", is_hello=False)
    clock.now += 119
    assert health.look("socket", is_up=True) == "well"
    clock.now += 2
    assert health.look("socket", is_up=True) == "mute"
    assert health.look("socket", is_up=True) == "well"


def test_a_client_that_stays_down_is_stuck_now_and_again(health: Health, clock: Clock) -> None:
    health.heard("socket", is_hello=True)
    health.look("socket", is_up=True)
    said = []
    for _ in range(100):
        clock.now += 1
        said.append(health.look("socket", is_up=False))

    assert [number for number, word in enumerate(said, start=1) if word == "stuck"] == [46, 92]


def test_a_client_that_waits_for_its_turn_is_not_stuck(health: Health, clock: Clock) -> None:
    for _ in range(100):
        clock.now += 1
        assert health.look(None, is_up=False, is_pacing=True) == "down"


def test_a_process_is_useless_after_two_minutes_without_slack(health: Health, clock: Clock) -> None:
    health.heard("socket", is_hello=True)
    health.look("socket", is_up=True)
    clock.now += 120
    health.look("socket", is_up=False)
    assert health.problem() == "" and not health.connected
    clock.now += 1
    assert health.problem() == "no connection to Slack for 121 s"
    health.heard("the next socket", is_hello=True)
    health.look("the next socket", is_up=True)
    assert health.problem() == ""


def test_while_slack_itself_is_away_a_process_is_not_useless_before_a_quarter_of_an_hour(
    health: Health, clock: Clock
) -> None:
    clock.now += 900
    assert health.problem(slack_answers=False) == ""
    clock.now += 1
    assert health.problem(slack_answers=False) == "no connection to Slack for 901 s"


def test_a_watchdog_that_no_longer_looks_counts_as_no_connection(health: Health, clock: Clock) -> None:
    health.heard("socket", is_hello=True)
    health.look("socket", is_up=True)
    clock.now += 4

    assert not health.connected


def test_sockets_are_opened_at_most_six_times_a_minute(clock: Clock, rng: random.Random) -> None:
    pace, opened = OpenPace(monotonic=clock, jitter=rng.random), []
    while clock.now < 1000 + 1800:
        clock.now += pace.wait_s()
        pace.opened()
        opened.append(clock.now)

    assert opened[0] == 1000
    for at in opened:
        assert sum(1 for other in opened if at <= other < at + 60) <= OPENS_PER_MINUTE
    assert len(opened) >= 100


def test_the_first_reconnection_waits_for_nothing_and_the_next_ones_longer(clock: Clock) -> None:
    pace, waits = OpenPace(monotonic=clock, jitter=lambda: 0.5), []
    for _ in range(5):
        waits.append(pace.wait_s())
        clock.now += waits[-1]
        pace.opened()

    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0]


def test_slacks_own_pause_is_kept(clock: Clock) -> None:
    pace = OpenPace(monotonic=clock, jitter=lambda: 0.5)
    pace.opened()
    pace.refused(30)
    assert pace.wait_s() == 30
    clock.now += 70
    assert pace.wait_s() == 0
