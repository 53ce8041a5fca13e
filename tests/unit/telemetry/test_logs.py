"""Logs: one line each, with what was measured, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot.telemetry.correlation import HERE, Point, trace_id
from bot.telemetry.logs import CAPS, configure_logs, redacted


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in CAPS}
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_a_record_is_one_json_object_with_its_facts_as_keys() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream=stream)

    logging.getLogger("tandem.turn").info("answered", extra={"turn_id": "C1:1.2", "seconds": 0.5})

    [line] = stream.getvalue().splitlines()
    facts = json.loads(line)
    assert facts.pop("time").endswith("+00:00")
    assert facts == {
        "severity": "INFO",
        "logger": "tandem.turn",
        "message": "answered",
        "turn_id": "C1:1.2",
        "seconds": 0.5,
    }


def test_an_exception_stays_within_its_line() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)

    try:
        raise ValueError("line one\nline two")
    except ValueError:
        logging.getLogger("tandem").exception("failed")

    [line] = stream.getvalue().splitlines()
    assert "line two" in json.loads(line)["stack_trace"]


def test_text_for_a_terminal_puts_the_facts_behind_the_message() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "text", stream=stream)

    logging.getLogger("tandem.turn").warning("slow", extra={"turn_id": "C1:1.2"})

    assert stream.getvalue().endswith(" WARNING tandem.turn: slow turn_id=C1:1.2\n")


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123-456-abcDEF",
        "xapp-1-A1-99-abc",
        "xoxe.xoxb-1-abc",
        "AIzaSyA-1234567890_1234567890abcdefghi",
        "ya29.a0Af_abc-def",
        "Bearer s3cr3t-key",
    ],
)
@pytest.mark.parametrize("style", ["json", "text"])
def test_no_token_gets_through_not_even_in_an_exception(secret: str, style: str) -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json" if style == "json" else "text", stream=stream)

    try:
        raise RuntimeError(f"refused: {secret}")
    except RuntimeError:
        logging.getLogger("tandem").exception("with %s", secret, extra={"header": secret})

    assert stream.getvalue().count("…") == 3
    assert secret.removeprefix("Bearer ")[5:] not in stream.getvalue()


def test_ordinary_words_are_left_alone() -> None:
    line = "turn C1:1.2 answered by gemma in 0.5 s; the bearer of news; xo"

    assert redacted(line) == line


@pytest.mark.parametrize("name", ["slack_sdk.web.async_client", "slack_bolt.AsyncApp", "google_genai.models"])
def test_libraries_that_print_bodies_and_tokens_stay_quiet_even_at_debug(name: str) -> None:
    stream = io.StringIO()
    configure_logs("DEBUG", stream=stream)

    logging.getLogger(name).debug("Sending a request - headers: {...}, body: what somebody wrote")

    assert stream.getvalue() == ""


def test_a_higher_level_holds_for_libraries_too() -> None:
    stream = io.StringIO()
    configure_logs("ERROR", stream=stream)

    logging.getLogger("slack_sdk").warning("reconnecting")

    assert stream.getvalue() == ""


TRACE, SPAN = "logging.googleapis.com/trace", "logging.googleapis.com/spanId"


def facts_of(stream: io.StringIO) -> dict[str, object]:
    return dict(json.loads(stream.getvalue().splitlines()[-1]))


def test_every_line_about_a_turn_names_its_trace_as_cloud_logging_wants_it() -> None:
    stream = io.StringIO()
    configure_logs(project="a-project", stream=stream)

    logging.getLogger("tandem.turn").info("turn ended", extra={"turn": "C1:1.2"})

    assert facts_of(stream)[TRACE] == f"projects/a-project/traces/{trace_id('C1:1.2')}"
    assert SPAN not in facts_of(stream)


def test_a_line_that_names_no_turn_belongs_to_the_one_that_its_task_works_for() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    before = HERE.set(Point(trace_id("C1:1.2"), "00f067aa0ba902b7"))
    try:
        logging.getLogger("tandem.slack").warning("slow")
        ours = facts_of(stream)
        logging.getLogger("tandem.slack").warning("slow", extra={"turn": "C1:9.9"})
        another = facts_of(stream)
    finally:
        HERE.reset(before)
    logging.getLogger("tandem.slack").warning("slow", extra={"turn": ""})

    assert (ours[TRACE], ours[SPAN]) == (trace_id("C1:1.2"), "00f067aa0ba902b7")
    assert another[TRACE] == trace_id("C1:9.9") and SPAN not in another
    assert TRACE not in facts_of(stream)
