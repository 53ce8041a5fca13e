"""Errors that end a command become sentences that say what to do."""

import pytest

from bot.commands.sentences import port_in_use, sentence
from bot.errors import (
    BotError,
    ModelMisconfigured,
    ModelUnavailable,
    SlackRateLimited,
    SlackRejected,
    SlackUnavailable,
    StoreUnavailable,
    StoreUnusable,
)
from bot.slack.manifest import bot_scopes, missing_scope


@pytest.mark.parametrize("code", ["invalid_auth", "account_inactive", "token_revoked", "not_authed"])
def test_a_wrong_token_names_the_setting_that_holds_it(code: str) -> None:
    assert "SLACK_BOT_TOKEN" in sentence(SlackRejected("auth.test", code))
    assert "SLACK_APP_TOKEN" in sentence(SlackRejected("apps.connections.open", code))


def test_a_missing_scope_comes_with_the_line_of_the_manifest_that_adds_it() -> None:
    said = sentence(SlackRejected("users.info", "missing_scope", "users:read"))

    assert "users.info" in said
    assert f"`{bot_scopes()['users:read']}`" in said
    assert "reinstall" in said


def test_several_missing_scopes_are_each_named() -> None:
    said = sentence(SlackRejected("conversations.info", "missing_scope", "channels:read,im:read"))

    assert "`- channels:read " in said
    assert "`- im:read " in said


def test_an_app_token_without_its_scope_is_not_mended_in_the_manifest() -> None:
    assert "SLACK_APP_TOKEN lacks connections:write" in missing_scope("connections:write")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SlackRejected("chat.update", "channel_not_found"), "Slack refused chat.update: channel_not_found."),
        (SlackUnavailable("auth.test: TimeoutError"), "Slack cannot be reached: auth.test: TimeoutError. Check"),
        (SlackRateLimited("auth.test", 30), "Slack asks for patience: auth.test may be called again in 30 s."),
        (ModelUnavailable("http://g cannot be reached."), "http://g cannot be reached."),
        (ModelMisconfigured("GEMMA_MODEL names another."), "GEMMA_MODEL names another."),
        (StoreUnavailable("Firestore took too long."), "The store cannot be reached: Firestore took too long. Check"),
        (StoreUnusable("tandem.db is no database."), "tandem.db is no database."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BotError) else "",
)
def test_what_does_not_work_is_said_in_a_sentence(error: BotError, expected: str) -> None:
    assert sentence(error).startswith(expected)


def test_a_port_in_use_says_which() -> None:
    assert port_in_use("127.0.0.1", 8080) == (
        "Port 8080 is in use on 127.0.0.1 already: stop what listens there, or choose another one."
    )
