"""Ids of traces: whoever knows a turn knows its trace."""

import subprocess
import sys

from bot.telemetry.correlation import root_span_id, trace_id

TURN = "C0GENERAL:1700000000.000100"


def test_every_process_gives_a_turn_the_same_trace() -> None:
    program = f"from bot.telemetry.correlation import *; print(trace_id({TURN!r}), root_span_id({TURN!r}))"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert other.stdout.split() == [trace_id(TURN), root_span_id(TURN)]


def test_ids_have_the_lengths_that_trace_context_wants_and_differ_between_turns() -> None:
    turns = [TURN, f"{TURN}:1", "C0GENERAL:1700000000.000200"]

    assert {len(trace_id(turn)) for turn in turns} == {32} and {len(root_span_id(turn)) for turn in turns} == {16}
    assert len({trace_id(turn) for turn in turns}) == len({root_span_id(turn) for turn in turns}) == 3
    assert int(trace_id(TURN), 16) and int(root_span_id(TURN), 16)
