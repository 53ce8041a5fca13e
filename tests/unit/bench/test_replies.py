"""Who asks a stand-in knows its answer to the letter."""

import pytest

from bench import replies
from bot.slack.safety import safe


def test_the_last_question_of_a_prompt_is_the_one_that_is_asked() -> None:
    prompt = f"{replies.question('first', 3)} Answer first: … {replies.question('second', 200)}\nmodel\n"

    assert replies.asked(prompt) == ("second", 200)


def test_a_prompt_without_a_question_is_refused() -> None:
    with pytest.raises(ValueError, match="asks nothing"):
        replies.asked("What is the weather?")


@pytest.mark.parametrize("tokens", [1, 5, 200])
def test_an_answer_has_as_many_tokens_as_were_asked_for_and_is_always_the_same(tokens: int) -> None:
    assert len(replies.answer("a1", tokens)) == tokens
    assert replies.text("a1", tokens) == replies.text("a1", tokens) != replies.text("a2", tokens)


def test_nothing_in_an_answer_would_be_changed_on_its_way_into_slack() -> None:
    for number in range(200):
        text = replies.text(f"n{number}", 200)
        assert safe(text) == text == text.strip()
