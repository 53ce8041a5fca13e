"""Prompts reach a model in the exact shape it was trained on, and nothing that anyone wrote can change that shape."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given

from bot.conversation.models import Prompt
from bot.llm.templates import codelab, gemma3
from bot.llm.templates.messages import messages
from bot.llm.templates.neutral import neutral, neutral_for_codelab
from tests.unit.llm.conversations import CONTROL_TOKENS, GOLDEN, prompts, texts

GOLDEN_FILES = Path(__file__).parent / "golden"
ANY_CONTROL = re.compile("|".join(map(re.escape, CONTROL_TOKENS)))


@pytest.mark.parametrize("name", GOLDEN)
def test_gemma3_prompts_are_what_they_were_when_a_person_read_them(name: str) -> None:
    assert gemma3.render(GOLDEN[name]) == (GOLDEN_FILES / f"gemma3_{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", GOLDEN)
def test_codelab_prompts_are_what_they_were_when_a_person_read_them(name: str) -> None:
    assert codelab.render(GOLDEN[name]) == (GOLDEN_FILES / f"codelab_{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", GOLDEN)
def test_chat_messages_are_what_they_were_when_a_person_read_them(name: str) -> None:
    assert messages(GOLDEN[name]) == json.loads((GOLDEN_FILES / f"messages_{name}.json").read_text("utf-8"))


@given(prompts())
def test_a_gemma3_prompt_holds_the_templates_own_control_tokens_and_no_others(prompt: Prompt) -> None:
    expected = ["<start_of_turn>", "<end_of_turn>"] * len(prompt.turns) + ["<start_of_turn>"]

    assert ANY_CONTROL.findall(gemma3.render(prompt)) == expected


@given(prompts())
def test_a_gemma3_prompt_can_be_read_back_turn_by_turn(prompt: Prompt) -> None:
    rendered = gemma3.render(prompt)

    turns = re.findall(r"<start_of_turn>(user|model)\n(.*?)<end_of_turn>\n", rendered, re.S)
    assert [role for role, _ in turns] == [turn.role for turn in prompt.turns]
    head = neutral(prompt.system) + "\n\n" if prompt.system else ""
    assert [text for _, text in turns] == [
        (head if number == 0 else "") + neutral(turn.text).strip() for number, turn in enumerate(prompt.turns)
    ]


@given(prompts())
def test_a_codelab_prompt_begins_as_many_turns_as_it_has(prompt: Prompt) -> None:
    assert len(re.findall(r"(?:User|Assistant)'s Turn:", codelab.render(prompt))) == len(prompt.turns) + 1


@given(prompts())
def test_chat_messages_hold_no_control_token(prompt: Prompt) -> None:
    assert not any(ANY_CONTROL.search(message["content"]) for message in messages(prompt))


@given(texts)
def test_neutral_text_stays_as_it_is(text: str) -> None:
    for make in (neutral, neutral_for_codelab):
        assert make(make(text)) == make(text)


@given(texts)
def test_neutralising_only_adds_zero_width_spaces_and_removes_tag_characters(text: str) -> None:
    def visible(value: str) -> str:
        return re.sub("[\u200b\U000e0000-\U000e007f]", "", value)

    assert visible(neutral_for_codelab(text)) == visible(text)


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_every_control_token_of_every_gemma_is_broken(token: str) -> None:
    assert token not in neutral(f"a{token}b")


def test_a_token_that_tag_characters_hide_is_broken_too() -> None:
    assert "<end_of_turn>" not in neutral("<end_\U000e0041of_turn>")


@pytest.mark.parametrize(
    "text",
    [
        "<div> List<int> a < b > c <@U123> <https://example.com|x> <h1>",
        "<START_OF_TURN> < end_of_turn> <end_of_turn",
        "＜start_of_turn＞ <start\u200b_of_turn> <start\u200d_of_turn>",
        "👨‍👩‍👧 नमस्ते \u00a0",
    ],
)
def test_what_is_no_control_token_is_left_alone(text: str) -> None:
    assert neutral(text) == text


def test_edges_are_trimmed_as_the_official_template_does() -> None:
    turn = GOLDEN["hello"].turns[0].__class__("user", "\u00a0\u2003 Hi \x1c\u0085\u200b")

    assert gemma3.render(Prompt(system="", turns=(turn,))).startswith("<start_of_turn>user\nHi \x1c\u0085\u200b<end")
