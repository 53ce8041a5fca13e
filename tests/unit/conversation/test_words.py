"""Control words: what counts as one, and what is a question after all."""

import pytest

from bot.conversation.words import ControlWord, control_word


@pytest.mark.parametrize("text", ["stop", "Stop", "STOP!", "!stop", "/stop", " stop. "])
def test_stop_is_understood_however_it_is_written(text: str) -> None:
    assert control_word(text, addressed=False) == ControlWord("stop")


@pytest.mark.parametrize("text", ["please stop", "stop the deployment", "nonstop", "don't stop"])
def test_a_sentence_with_stop_in_it_is_no_control_word(text: str) -> None:
    assert control_word(text, addressed=True) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("model gemini", "gemini"), ("!model gemini", "gemini"), ("/model Gemma 3 12B", "Gemma 3 12B"), ("Model", "")],
)
def test_model_names_what_follows_it(text: str, name: str) -> None:
    assert control_word(text, addressed=True) == ControlWord("model", name)


def test_a_bare_model_counts_only_when_said_to_the_bot() -> None:
    assert control_word("model gemini", addressed=False) is None
    assert control_word("!model gemini", addressed=False) == ControlWord("model", "gemini")


def test_a_request_that_begins_with_model_is_a_question() -> None:
    assert control_word("model a supply chain with three depots for me", addressed=True) is None


@pytest.mark.parametrize("text", ["help", "Help!", "!help", "/help", "help?"])
def test_help_is_understood_however_it_is_written(text: str) -> None:
    assert control_word(text, addressed=True) == ControlWord("help")


def test_a_bare_help_counts_only_when_said_to_the_bot() -> None:
    assert control_word("help", addressed=False) is None
    assert control_word("!help", addressed=False) == ControlWord("help")


def test_a_request_for_help_is_a_question() -> None:
    assert control_word("help me with this query", addressed=True) is None


def test_a_mention_without_words_asks_for_help() -> None:
    assert control_word("   ", addressed=True) == ControlWord("help")
    assert control_word("", addressed=False) is None
