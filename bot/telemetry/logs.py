"""Log records in, one JSON object (or one readable line) each out: ids and durations, never message text or tokens.

The JSON is what Google's Cloud Logging understands: `severity`, `time`, `message`, `stack_trace`, and the trace of the
turn that a line is about, whether or not spans are sent anywhere: so every line about a question is found with it.
"""

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from bot.telemetry.correlation import HERE, Point, trace_id

# Libraries whose lower levels print request bodies, headers or tokens, and the least that is heard of each.
CAPS: Mapping[str, int] = {
    "slack_sdk": logging.INFO,
    "slack_bolt": logging.WARNING,
    "aiohttp": logging.WARNING,
    "google": logging.WARNING,
    "google_genai": logging.WARNING,
    "grpc": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "opentelemetry": logging.WARNING,
    "urllib3": logging.WARNING,
    "asyncio": logging.INFO,
}

# Slack's tokens, Google's API keys and OAuth tokens, and whatever follows "Bearer".
SECRETS = re.compile(r"\b(xox[a-z](?:\.xox[a-z])?|xapp)-[\w-]+|\bAIza[\w-]{20,}|\bya29\.[\w.-]+|(?<=Bearer )[^\s\"']+")


# https://cloud.google.com/logging/docs/structured-logging
_TRACE = "logging.googleapis.com/trace"
_SPAN = "logging.googleapis.com/spanId"
_SAMPLED = "logging.googleapis.com/trace_sampled"


def configure_logs(
    level: str = "INFO", style: Literal["json", "text"] = "json", *, project: str = "", stream: TextIO | None = None
) -> None:
    """Send every record of this process to `stream` (stderr), in one form; replaces what was configured before.

    `project` is the one whose Cloud Trace has the traces.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLine(project) if style == "json" else TextLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, cap in CAPS.items():
        logging.getLogger(name).setLevel(max(cap, root.level))
    logging.captureWarnings(True)


class JsonLine(JsonFormatter):
    """`{"time": …, "severity": …, "logger": …, "message": …, …}` with every `extra=` as a key of its own."""

    def __init__(self, project: str = "") -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "severity", "name": "logger", "exc_info": "stack_trace"},
            json_ensure_ascii=False,
        )
        self._traces = f"projects/{project}/traces/" if project else ""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """The record's own, and its place in a trace."""
        super().add_fields(log_data, record, message_dict)
        point = _point(record)
        if point is None:
            return
        log_data[_TRACE] = self._traces + point.trace_id
        if point.span_id:
            log_data[_SPAN] = point.span_id
            log_data[_SAMPLED] = True

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # the name is logging's
        """The time in UTC, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """One line; anything that looks like a secret is cut to its first letters."""
        return redacted(super().format(record))


def _point(record: logging.LogRecord) -> Point | None:
    """The trace of the turn that a record names; else of the turn that its task works for."""
    here, turn_id = HERE.get(), getattr(record, "turn", None)
    if not isinstance(turn_id, str) or not turn_id:
        return here
    named = Point(trace_id(turn_id))
    return here if here and here.trace_id == named.trace_id else named


class TextLine(logging.Formatter):
    """`12:34:56 WARNING bot.slack: message key=value …` for a terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # the name is logging's
        """The line before any traceback, with every `extra=` behind it."""
        extras = {key: value for key, value in vars(record).items() if key not in (*RESERVED_ATTRS, "color_message")}
        return " ".join([super().formatMessage(record), *(f"{key}={value}" for key, value in extras.items())])

    def format(self, record: logging.LogRecord) -> str:
        """One line, or several with a traceback; anything that looks like a secret is cut to its first letters."""
        return redacted(super().format(record))


def redacted(line: str) -> str:
    """A line without tokens or keys, should one have slipped into an exception's text."""
    return SECRETS.sub(lambda match: f"{match[1] or ''}…", line)
