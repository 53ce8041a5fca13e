"""Commands and clicks are read for what they wish; where they happened is Slack's word, not the button's."""

import asyncio
import logging

import pytest

from bot.conversation.thread import ThreadKey
from bot.errors import SlackUnavailable, StoreUnavailable
from bot.slack.errands import Errands
from bot.slack.interactions import click_of, command_of
from bot.slack.model_panel import scope_block_id, scope_of
from tests.doubles.payloads import payload


@pytest.mark.parametrize(
    ("text", "words", "scope"),
    [
        ("", "", None),
        ("gemini", "gemini", None),
        ("Gemini 3.8 Flash", "Gemini 3.8 Flash", None),
        ("gemini for me", "gemini", "user"),
        ("gemini FOR MYSELF", "gemini", "user"),
        ("gemini for this channel", "gemini", "channel"),
        ("gemini for the channel", "gemini", "channel"),
        ("for me", "", "user"),
        ("for this channel", "", "channel"),
        ("help", "", None),
        ("list for me", "", "user"),
        ("gemini for everybody", "gemini for everybody", None),
        ("platform for mend", "platform for mend", None),
        ("a &amp; b", "a & b", None),
        ("  gemini  ", "gemini", None),
    ],
)
def test_a_commands_words_and_scope_are_told_apart(text: str, words: str, scope: str | None) -> None:
    command = command_of(payload("command_model") | {"text": text})

    assert (command.words, command.scope) == (words, scope)


def test_a_command_knows_whether_it_was_typed_in_a_direct_message() -> None:
    assert not command_of(payload("command_model")).in_dm
    assert command_of(payload("command_model") | {"channel_id": "D0ADA"}).in_dm


def test_a_click_names_the_thread_in_which_it_happened() -> None:
    click = click_of(payload("click_model_menu"))

    assert click.thread == ThreadKey("C0GENERAL", "1763000000.000100")
    assert (click.user_id, click.user_team_id, click.value) == ("U0ADA", "T0TANDEM", "gemini")


def test_what_a_button_carries_does_not_move_the_click() -> None:
    body = payload("click_model_menu")
    body["actions"][0]["block_id"] = "answer:C0PRIVATE:1763000000.000999"

    assert click_of(body).thread == ThreadKey("C0GENERAL", "1763000000.000100")


def test_a_click_under_a_root_message_belongs_to_the_thread_it_begins() -> None:
    body = payload("click_ask_again")
    del body["message"]["thread_ts"], body["container"]["thread_ts"]

    assert click_of(body).thread == ThreadKey("C0GENERAL", "1763000005.000100")


def test_a_click_in_the_home_tab_belongs_to_no_thread() -> None:
    body = payload("click_model_menu")
    del body["message"], body["channel"]
    body["container"] = {"type": "view", "view_id": "V1"}

    assert click_of(body).thread is None


def test_a_menus_scope_is_in_its_block_and_nowhere_else() -> None:
    assert scope_of(scope_block_id("user")) == "user"
    assert scope_of(scope_block_id("channel")) == "channel"
    assert scope_of("answer:C0GENERAL:1763000000.000100") is None
    assert scope_of("model_for:workspace") is None


async def test_an_errands_failure_is_told_with_the_reference_that_the_log_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []

    async def fail(error: Exception) -> None:
        raise error

    async def tell(sentence: str) -> None:
        told.append(sentence)

    errands = Errands()
    errands.start("one", fail(StoreUnavailable("secret detail")), tell=tell)
    errands.start("two", fail(ValueError("secret detail")), tell=tell)
    await errands.close()

    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.__dict__["code"] for record in failures] == ["store_unavailable", "bot_error"]
    assert [bool(record.exc_info) for record in failures] == [False, True]
    for record, sentence in zip(failures, told, strict=True):
        assert record.__dict__["reference"] in sentence
        assert "secret" not in sentence


async def test_an_errand_that_cannot_be_told_of_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise StoreUnavailable("away")

    async def tell(_: str) -> None:
        raise SlackUnavailable("away too")

    errands = Errands()
    errands.start("one", fail(), tell=tell)
    await errands.close()

    assert [record.getMessage() for record in caplog.records] == ["errand failed", "could not say so"]


async def test_closing_lets_errands_end_and_ends_those_that_do_not() -> None:
    done: list[str] = []

    async def quick() -> None:
        await asyncio.sleep(0)
        done.append("quick")

    errands = Errands()
    errands.start("quick", quick())
    errands.start("endless", asyncio.sleep(3600))
    await errands.close(within_s=0.05)

    assert done == ["quick"]
