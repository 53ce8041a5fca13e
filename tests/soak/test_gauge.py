"""What the soak calls growth, and what it calls left behind."""

from collections import Counter

from tests.soak.gauge import Held, Sample, quarters

IDLE = Held(Counter({"Server.run": 1}), sockets=2, files=9)


def test_memory_is_compared_by_the_mean_of_each_quarter_of_the_turns() -> None:
    samples = [Sample(turns, at=0, memory=memory) for turns, memory in ((0, 10), (9, 30), (30, 50), (60, 60), (99, 80))]

    assert quarters(samples, 100) == [20, 50, 60, 80]


def test_the_last_sample_of_all_counts_for_the_last_quarter() -> None:
    samples = [Sample(turns, at=0, memory=turns) for turns in (0, 1, 2, 3, 4)]

    assert quarters(samples, 4) == [0.5, 2, 3, 4]


def test_what_is_as_before_is_not_left_behind() -> None:
    assert IDLE.beyond(IDLE) == []


def test_a_task_a_socket_and_a_file_that_stay_are_each_named() -> None:
    later = Held(Counter({"Server.run": 1, "Worker._run": 3}), sockets=3, files=11)

    assert later.beyond(IDLE) == ["3 × Worker._run", "1 sockets", "2 other files"]


def test_what_has_ended_since_is_nothing_that_stays() -> None:
    assert Held(Counter(), sockets=1, files=8).beyond(IDLE) == []
