"""An HTTP request of the Web API in, its arguments by name and type out; Slack's refusals for wrong ones."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.errors import SlackError
from playground.json_text import decoded

JSON = dict[str, Any]

MAX_BODY_BYTES = 4_000_000  # more than any of Slack's limits on what a call may hold


class Arguments:
    """The arguments of one call. Slack takes them as a query, a form (JSON inside) or a JSON body alike."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {key: value for key, value in values.items() if value is not None}

    def given(self, name: str) -> bool:
        """Whether the argument is there at all, though it may be empty."""
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """A string; SlackError invalid_arguments for anything structured."""
        value = self.values.get(name, default)
        if isinstance(value, bool | list | dict):
            raise invalid(name, "must be a string")
        return str(value)

    def required(self, name: str) -> str:
        """A string that is not empty; SlackError invalid_arguments when it is missing."""
        value = self.text(name)
        if not value:
            raise invalid(name, "missing required field")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number within its range."""
        try:
            value = int(self.text(name, str(default)) or default)
        except ValueError:
            raise invalid(name, "must be an integer") from None
        if not low <= value <= high:
            raise SlackError("invalid_limit" if name == "limit" else "invalid_arguments")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value, also as Slack's 1/0 and true/false strings."""
        value = self.values.get(name, default)
        if isinstance(value, bool):
            return value
        word = str(value).lower()
        if word not in ("1", "0", "true", "false", ""):
            raise invalid(name, "must be a boolean")
        return word in ("1", "true")

    def structure(self, name: str, error: str) -> Any:
        """A JSON value, whether it came as JSON or as a string of it; None when absent or empty."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return decoded(value)
        except ValueError:
            raise SlackError(error) from None

    def items(self, name: str, error: str) -> list[JSON] | None:
        """A list of objects, or None when absent."""
        value = self.structure(name, error)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise SlackError(error)
        return value


def invalid(name: str, reason: str) -> SlackError:
    """Slack's answer to a wrong argument: the code, and which one in the response's metadata."""
    messages = [f"[ERROR] {reason} [json-pointer:/{name}]"]
    return SlackError("invalid_arguments", response_metadata={"messages": messages})


async def read_arguments(request: web.Request) -> Arguments:
    """Query and body of a call as one set of arguments.

    Raises SlackError invalid_json, json_not_object, invalid_form_data, invalid_charset, missing_post_type,
    invalid_post_type, request_too_large.
    """
    values: JSON = dict(request.query)
    if request.method == "POST" and request.can_read_body:
        values.update(await _body(request))
    return Arguments(values)


async def _body(request: web.Request) -> Mapping[str, Any]:
    is_json = request.content_type == "application/json"
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise SlackError("request_too_large")
    try:
        if is_json:
            body = decoded(await request.text())
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            return body
        if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        if not await request.read():
            return {}
    except web.HTTPRequestEntityTooLarge:
        raise SlackError("request_too_large") from None
    except LookupError:
        raise SlackError("invalid_charset") from None
    except ValueError:
        raise SlackError("invalid_json" if is_json else "invalid_form_data") from None
    raise SlackError("invalid_post_type" if "Content-Type" in request.headers else "missing_post_type")
