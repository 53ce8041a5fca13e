"""Every exception that Slack's SDK or the wire can raise is one of ours, and says whether a call may have been done."""

import inspect

import aiohttp
import aiohttp.client_exceptions
import pytest
import slack_sdk.errors
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackError, SlackRateLimited, SlackRejected, SlackUnavailable
from bot.slack.client import SlackConnection
from bot.slack.errors import FOREIGN, translated


def exceptions_of(module: object) -> list[type[BaseException]]:
    """The exception classes that a module defines."""
    return [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, BaseException)]


def of_calls() -> list[type[BaseException]]:
    """aiohttp's exceptions, but for those of WebSockets: no call to the Web API opens one."""
    return [each for each in exceptions_of(aiohttp.client_exceptions) if not each.__name__.startswith("WS")]


def answered(status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> SlackApiError:
    """What slack_sdk raises for this answer."""
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data=body,
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("failed", response)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", exceptions_of(slack_sdk.errors), ids=lambda kind: kind.__name__)
def test_every_exception_of_slacks_sdk_is_translated(kind: type[BaseException]) -> None:
    error = answered(200, {"ok": False}) if kind is SlackApiError else kind(Exception("x"))

    assert isinstance(error, FOREIGN)
    assert isinstance(translated("chat.update", error), SlackError)


@pytest.mark.parametrize("kind", of_calls(), ids=lambda kind: kind.__name__)
def test_every_exception_of_the_wire_leaves_open_whether_the_call_was_done(kind: type[BaseException]) -> None:
    assert issubclass(kind, FOREIGN)
    assert isinstance(translated("chat.update", kind.__new__(kind)), SlackUnavailable)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), OSError()])
def test_a_broken_connection_leaves_open_whether_the_call_was_done(error: BaseException) -> None:
    assert isinstance(error, FOREIGN)
    assert isinstance(translated("chat.update", error), SlackUnavailable)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"ok": False, "error": "channel_not_found"}, SlackRejected),
        (200, {"ok": False, "error": "ratelimited"}, SlackRateLimited),
        (429, {"ok": False, "error": "ratelimited"}, SlackRateLimited),
        (429, {}, SlackRateLimited),
        (200, {"ok": False, "error": "internal_error"}, SlackUnavailable),
        (200, {"ok": False, "error": "fatal_error"}, SlackUnavailable),
        (500, {"ok": False, "error": "channel_not_found"}, SlackUnavailable),
        (503, {}, SlackUnavailable),
        (200, {}, SlackUnavailable),
    ],
)
def test_an_answer_is_read_by_its_status_and_its_code(status: int, body: dict[str, object], kind: type) -> None:
    assert type(translated("chat.update", answered(status, body))) is kind


@pytest.mark.parametrize(("given", "seconds"), [("7", 7.0), ("0.5", 0.5), (None, 30.0), ("soon", 30.0), ("-3", 0.0)])
def test_how_long_slack_wants_to_be_left_alone_is_read(given: str | None, seconds: float) -> None:
    headers = {} if given is None else {"Retry-After": given}
    error = translated("chat.update", answered(429, {}, headers))

    assert isinstance(error, SlackRateLimited) and error.retry_after_s == seconds


def test_a_missing_scope_is_named() -> None:
    body: dict[str, object] = {"ok": False, "error": "missing_scope", "needed": "chat:write"}
    error = translated("chat.update", answered(200, body))

    assert isinstance(error, SlackRejected) and error.needed == "chat:write" and "chat:write" in str(error)


async def test_a_client_retries_nothing_and_takes_no_proxy_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    async with SlackConnection("xoxb-1", base_url="http://127.0.0.1:1/api/") as connection:
        assert isinstance(connection.client, AsyncWebClient)
        assert connection.client.proxy is None
        assert connection.client.retry_handlers == []
        assert connection.session.timeout.total == 30
    async with SlackConnection("xoxb-1", proxy="http://127.0.0.1:2") as connection:
        assert connection.client.proxy == "http://127.0.0.1:2"
    assert connection.session.closed
