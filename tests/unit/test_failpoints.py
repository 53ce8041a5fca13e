"""Failpoints: where a process dies is named exactly, or refused."""

import pytest

from bot.errors import ConfigError
from bot.failpoints import EXIT_CODE, POINTS, Failpoint


@pytest.mark.parametrize("point", POINTS)
def test_a_process_dies_the_first_time_it_passes_its_point(point: str) -> None:
    died: list[int] = []
    failpoint = Failpoint.parse(point)
    failpoint.die = died.append

    for other in POINTS:
        failpoint.passed(other)

    assert died == [EXIT_CODE] and failpoint.point == point


def test_a_number_says_the_how_manieth_time() -> None:
    died: list[int] = []
    failpoint = Failpoint.parse("mid_stream:3")
    failpoint.die = died.append

    for times, expected in ((1, []), (2, []), (3, [EXIT_CODE]), (4, [EXIT_CODE])):
        failpoint.passed("mid_stream")

        assert died == expected, times


@pytest.mark.parametrize("words", ["midstream", "mid_stream:", "mid_stream:0", "mid_stream:-1", "after_ack:x", ":1"])
def test_a_point_that_does_not_exist_is_refused_with_those_that_do(words: str) -> None:
    with pytest.raises(ConfigError, match=r"TANDEM_FAILPOINT is .* but should be one of after_accept, "):
        Failpoint.parse(words)
