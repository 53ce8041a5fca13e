"""google-genai's and google-auth's exceptions in, ModelErrors out."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import aiohttp

from bot.errors import (
    ModelError,
    ModelMisconfigured,
    ModelOverloaded,
    ModelUnavailable,
    PromptTooLong,
)
from bot.llm.errors import MAX_WORDS, reason, retry_after_s

if TYPE_CHECKING:
    from google.genai.errors import APIError

TOO_LONG = re.compile(
    r"(?:input token count|number of tokens).*?exceeds the maximum.*?\(?(\d{3,})\)?\.?\s*$", re.I | re.S
)
NO_CREDENTIALS = (
    "Google found no credentials. On your own machine run `gcloud auth application-default login`; in a cluster give "
    "the pod's service account the role roles/aiplatform.user; or set GEMINI_API_KEY instead of GOOGLE_CLOUD_PROJECT"
)


class Unreadable(ModelUnavailable):
    """An answer that the library cannot read. Its own words for that quote the answer, and no log may."""


class ThinkingRefused(ModelMisconfigured):
    """The model does not take this thinking setting."""


def from_exception(exc: Exception, model: str, project: str, location: str) -> ModelError:
    """What a failed call means, before its first text (`in_time` says what it means afterwards)."""
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
    from google.genai.errors import APIError

    match exc:
        case ModelError():
            return exc
        case APIError():
            return _from_refusal(exc, model, project, location)
        case DefaultCredentialsError():
            return ModelMisconfigured(NO_CREDENTIALS)
        case TransportError():
            return ModelUnavailable("Google's token server cannot be reached")
        case GoogleAuthError():
            return ModelMisconfigured(f"Google does not accept these credentials ({type(exc).__name__}). Renew them")
        case aiohttp.ClientConnectorError() | TimeoutError():
            return ModelUnavailable(f"{model} cannot be reached ({reason(exc)}); check the network and a proxy")
        case aiohttp.ClientError() | OSError():
            return ModelUnavailable(f"{model} broke off the connection before it answered")
        case _:  # an answer that the library cannot read
            return Unreadable(f"{model}: the answer makes no sense ({type(exc).__name__})")


def _from_refusal(exc: "APIError", model: str, project: str, location: str) -> ModelError:
    """What Google's own error means; `exc.code` is the HTTP status, also for one inside a stream."""
    words = " ".join(str(exc.message or exc.status or "").split())[:MAX_WORDS]
    reasons = set(_reasons(exc.details))
    match exc.code:
        case 429 | 503:
            headers: Mapping[str, str] = getattr(exc.response, "headers", None) or {}
            return ModelOverloaded(f"{model} is busy: {words}", retry_after_s(headers.get("Retry-After", "")))
        case 400 if limit := TOO_LONG.search(words):
            return PromptTooLong(f"{model}: {words}", int(limit[1]))
        case 400 if "API_KEY_INVALID" in reasons or "api key" in words.casefold():
            return ModelMisconfigured("Google does not accept the API key; check GEMINI_API_KEY")
        case 400 if "thinking" in words.casefold():
            return ThinkingRefused(f"{model} does not take this thinking setting: {words}")
        case 401:
            return ModelMisconfigured("Google does not accept the credentials; check GEMINI_API_KEY, or log in again")
        case 403:
            return ModelMisconfigured(_forbidden(words, reasons, project))
        case 404:
            where = f" at location {location}" if project else ""
            return ModelMisconfigured(f"Google serves no model {model!r}{where}; check GEMINI_MODEL and its location")
        case 408 | 425:
            return ModelUnavailable(f"{model} cannot answer now: {words}")
        case code if code and code >= 500:
            return ModelUnavailable(f"{model} cannot answer now (HTTP {code}): {words}")
        case code:
            return ModelMisconfigured(f"{model} refuses the request (HTTP {code}): {words}")


def _forbidden(words: str, reasons: set[str], project: str) -> str:
    if "SERVICE_DISABLED" in reasons or "has not been used in project" in words or "it is disabled" in words:
        if not project:
            return "The Generative Language API is not enabled in the API key's project. Enable it, or make a new key"
        return (
            f"The Vertex AI API is not enabled in project {project}. "
            f"Run `gcloud services enable aiplatform.googleapis.com --project {project}` and wait a minute"
        )
    if project:
        return f"Google denies access to project {project}: give this account the role roles/aiplatform.user. {words}"
    return f"Google denies access with this API key; check its restrictions. {words}"


def _reasons(details: object) -> list[str]:
    """The machine-readable reasons in an error's `details` list."""
    error = details.get("error", details) if isinstance(details, dict) else {}
    listed = error.get("details") if isinstance(error, dict) else None
    return [str(detail.get("reason")) for detail in listed or () if isinstance(detail, dict)]
