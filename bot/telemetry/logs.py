"""Log records in, one JSON object (or one readable line) each out: ids and durations, never message text or tokens."""

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

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
    "urllib3": logging.WARNING,
    "asyncio": logging.INFO,
}

# Slack's tokens, Google's API keys and OAuth tokens, and whatever follows "Bearer".
SECRETS = re.compile(r"\b(xox[a-z](?:\.xox[a-z])?|xapp)-[\w-]+|\bAIza[\w-]{20,}|\bya29\.[\w.-]+|(?<=Bearer )[^\s\"']+")


def configure_logs(
    level: str = "INFO", style: Literal["json", "text"] = "json", *, stream: TextIO | None = None
) -> None:
    """Send every record of this process to `stream` (stderr), in one form; replaces what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(style))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, cap in CAPS.items():
        logging.getLogger(name).setLevel(max(cap, root.level))
    logging.captureWarnings(True)


def _formatter(style: Literal["json", "text"]) -> logging.Formatter:
    return JsonLine() if style == "json" else TextLine()


class JsonLine(JsonFormatter):
    """`{"time": …, "level": …, "logger": …, "message": …, …}` with every `extra=` as a key of its own."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # the name is logging's
        """The time in UTC, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """One line; anything that looks like a secret is cut to its first letters."""
        return redacted(super().format(record))


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
