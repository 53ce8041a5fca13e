"""aiohttp's exceptions and an inference server's refusals in, ModelErrors out."""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime

import aiohttp

from bot.conversation.models import ModelEntry
from bot.errors import (
    ModelError,
    ModelMisconfigured,
    ModelOverloaded,
    ModelUnavailable,
    PromptTooLong,
)

# How servers say that a prompt, or a prompt with its answer, does not fit.
TOO_LONG = re.compile(
    r"maximum context length|available context size|max_(completion_)?tokens\W.*(cannot be greater than|is too large)",
    re.I,
)
LIMIT = re.compile(r"(?:maximum context length is|max_model_len=|available context size \()\s*(\d+)", re.I)
# Where a server that refuses a field quotes what it was sent, as FastAPI and pydantic do
QUOTES_INPUT = re.compile(r"""(?:['"]input['"]\s*:|input_value=).*""", re.S)
MAX_WORDS = 300  # of a server's own words that are kept for the log


def from_exception(exc: Exception, url: str) -> ModelError:
    """What a failed request means, before its first text (`in_time` says what it means afterwards)."""
    if isinstance(exc, aiohttp.InvalidURL):
        return ModelMisconfigured(f"{url} is not an address; set it to the server's root, such as http://gemma:8000")
    if isinstance(exc, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return ModelMisconfigured(
            f"{url} has no certificate that this machine trusts, or speaks no TLS; check GEMMA_URL"
        )
    if isinstance(exc, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError | TimeoutError):
        return ModelUnavailable(f"{url} cannot be reached ({reason(exc)}); check GEMMA_URL, and that its server runs")
    return ModelUnavailable(f"{url} broke off the connection before it answered; check what its server logs")


def reason(exc: Exception) -> str:
    """Why a connection could not be made, in few words; aiohttp's own hold objects' addresses."""
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    cause = exc.os_error if isinstance(exc, aiohttp.ClientConnectorError) else exc
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return "no host of this name"
    words = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else type(cause).__name__
    return words[:1].lower() + words[1:]


def from_refusal(status: int, headers: Mapping[str, str], body: str, url: str) -> ModelError:
    """What an answer other than 200 means; `url` is the address that was asked."""
    details, words = _error(body)
    if status in (400, 422) and (TOO_LONG.search(words) or details.get("type") == "exceed_context_size_error"):
        return PromptTooLong(f"{url} says: {words}", _limit(details, words))
    if status == 413:
        return PromptTooLong(f"{url} takes no request of this size")
    if status in (401, 403):
        return ModelMisconfigured(f"{url} does not accept the key (HTTP {status}); check GEMMA_API_KEY")
    if status == 404 and (details.get("param") == "model" or "does not exist" in words):
        return ModelMisconfigured(f"{url} does not serve this model: {words}; check GEMMA_MODEL")
    if status in (404, 405) or 300 <= status < 400:
        return ModelMisconfigured(f"{url} does not exist there (HTTP {status}); check GEMMA_URL and GEMMA_DIALECT")
    if status in (408, 425, 429) or status >= 500:
        return _busy(status, headers, details, words, url)
    return ModelMisconfigured(f"{url} refuses the request (HTTP {status}): {words}")


def _busy(status: int, headers: Mapping[str, str], details: Mapping[str, object], words: str, url: str) -> ModelError:
    message = f"{url} cannot answer now (HTTP {status}): {words}"
    loading = details.get("type") == "unavailable_error"  # llama.cpp while it reads its weights
    if status == 429 or (status == 503 and not loading):
        return ModelOverloaded(message, retry_after_s(headers.get("Retry-After", "")))
    return ModelUnavailable(message)


def retry_after_s(value: str) -> float | None:
    """The seconds that a Retry-After header asks for, given as a number or as a date; None where it says neither."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def error_words(error: object) -> str:
    """The words of an `error` member, which may be an object, a text or something else."""
    words = error.get("message") or error.get("type") or "" if isinstance(error, dict) else error
    return " ".join(QUOTES_INPUT.sub("…", str(words)).split())[:MAX_WORDS]


def _error(body: str) -> tuple[dict[str, object], str]:
    """The error object of a body and its words. Both are empty where the body is no JSON (a proxy's page)."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}, ""
    if not isinstance(document, dict):
        return {}, ""
    error = document.get("error", document.get("detail", document))
    return (error if isinstance(error, dict) else {}), error_words(error)


def _limit(details: Mapping[str, object], words: str) -> int | None:
    told = details.get("n_ctx")
    if isinstance(told, int) and told > 0:
        return told
    found = LIMIT.search(words)
    return int(found[1]) if found else None


def narrowed(entry: ModelEntry, context_tokens: int | None) -> ModelEntry:
    """The entry for a server whose context is smaller than the catalogue's; a quarter of it is for answers."""
    if context_tokens is None or context_tokens >= entry.context_tokens:
        return entry
    answer = min(entry.answer_tokens, max(1, context_tokens // 4))
    return replace(entry, context_tokens=context_tokens, answer_tokens=answer)
