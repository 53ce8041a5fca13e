"""What people read beside an answer: short sentences, honest footers, text for who cannot see blocks."""

import re
from typing import get_args

import pytest

from bot import errors
from bot.conversation.choice import Level
from bot.conversation.ports import Ending, EndingKind, ModelChoice
from bot.conversation.thread import ThreadKey
from bot.slack.apologies import _ERRORS, _NOTICES, apology, in_place_of_answer, notice
from bot.slack.blocks import answer_block_id, model_menu, plain, under_answer
from bot.slack.fallback_text import fallback_text
from tests.doubles.answering import footer_of

THREAD = ThreadKey("C0GENERAL", "1700000000.000100")
FACTS = {
    "name": "gpt",
    "known": "`gemma`",
    "label": "Gemma",
    "by": "thread",
    "here": "Gemini",
    "who": "Ada",
    "count": "2",
}
FACTS |= {"model": "Gemma", "limit": "9"}
FACTS |= {"list": "> Why"}
CORE_CODES = """help model_current model_set nothing_to_stop not_a_member not_allowed_guest questions_withdrawn
self_hosted_only unknown_model vanished_thread model_set_for_me model_set_for_channel outsider asked_already
model_gone model_unset model_set_for_me_not_here model_unset_for_me_not_here model_unset_for_me
model_unset_for_channel"""


def footer(ending: Ending, stopped_by: str = "") -> str:
    """The grey line under an answer."""
    return footer_of({"blocks": under_answer(ending, thread=THREAD, question_id="C:1", stopped_by=stopped_by)})


def codes_of(kind: type[errors.BotError]) -> set[str]:
    """The codes of an error and of all below it in the tree; the weights' own error, for one, ends no turn."""
    below = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    return {kind.code}.union(*map(codes_of, below))


@pytest.mark.parametrize("code", sorted(_ERRORS))
def test_an_apology_is_a_short_sentence_that_says_what_to_do(code: str) -> None:
    text = apology(code, model="Gemma", reference="r-1", facts={"label": "Gemini"})

    assert text.endswith(".") and len(text) < 250 and "?" not in text
    assert not re.search(r"[{}]|Error|Exception|None", text)
    assert re.search(r"[Pp]lease|may help", text)


def test_every_error_that_can_end_a_turn_has_its_apology() -> None:
    wanted = codes_of(errors.ModelError) | {
        "internal",
        "too_many_attempts",
        "empty_answer",
        "blocked",
        "no_model_allowed",
    }

    assert wanted <= set(_ERRORS)


def test_an_unknown_code_is_an_apology_with_its_reference_all_the_same() -> None:
    assert apology("no_such_code", reference="r-1").endswith("(reference r-1).")


@pytest.mark.parametrize("code", sorted(_NOTICES))
def test_a_notice_says_all_its_facts(code: str) -> None:
    text = notice(code, FACTS)

    assert "{" not in text and "?" not in text.replace("something?", "") and text.endswith((".", "answer."))


@pytest.mark.parametrize(
    ("count", "dropped"), [("1", "1 waiting question was dropped."), ("2", "2 waiting questions were dropped.")]
)
def test_a_stop_says_how_many_waiting_questions_it_dropped(count: str, dropped: str) -> None:
    assert notice("questions_withdrawn", {"count": count}) == f"Stopped. {dropped}"


@pytest.mark.parametrize("by", [*get_args(Level), "policy", "you"])
def test_it_is_said_in_words_who_decided_on_the_model(by: str) -> None:
    assert "?" not in notice("model_current", FACTS | {"by": by})


def test_a_persons_own_choice_is_told_by_their_name_which_mentions_nobody() -> None:
    text = notice("model_current", FACTS | {"by": "user", "person": "<!channel> *Ada*"})

    assert text.startswith("Gemma answers here, as chosen by !channel Ada for the threads !channel Ada begins.")


@pytest.mark.parametrize("code", CORE_CODES.split())
def test_every_code_that_the_core_says_has_its_sentence(code: str) -> None:
    assert code in _NOTICES


def test_a_message_that_is_too_long_is_told_the_limit() -> None:
    ending = Ending(kind="failed", model_label="Gemma", error_code="prompt_too_long", limit=32_000, reference="r-1")

    assert in_place_of_answer(ending) == (
        "That is more text than Gemma can read at once: about 32,000 characters fit. "
        "Please shorten it or split it up (reference r-1)."
    )


def test_a_footer_says_who_answered_how_fast_and_what_is_to_be_known() -> None:
    notes = ("stood_in:Gemma", "history_cut", "length", "gone:old", "overruled:Gemini")
    text = footer(Ending(kind="answered", model_label="Gemini <1>", seconds=2.34, notes=notes))

    assert text.startswith("Gemini &lt;1&gt; · 2.3 s · Gemma could not answer, so this model stood in · ")
    for part in ("left out", "length limit", "“old” no longer exists", "Gemini may not answer in this channel"):
        assert part in text


@pytest.mark.parametrize(
    ("kind", "said"), [("cut", "Cut off"), ("stopped", "_Stopped by Ada_"), ("refused", "declined"), ("answered", "")]
)
def test_a_footer_says_how_it_ended(kind: EndingKind, said: str) -> None:
    assert said in footer(Ending(kind=kind, model_label="Gemma"), stopped_by="Ada")


def test_a_stoppers_name_is_plain_words() -> None:
    assert footer(Ending(kind="stopped"), stopped_by="<@U123> *_~`&") == "_Stopped by @U123_"


def test_the_menu_names_its_thread_and_what_is_chosen() -> None:
    choices = (ModelChoice("a", "A" * 100), ModelChoice("b", "B"))
    blocks = under_answer(
        Ending(kind="answered", model_id="b", choices=choices), thread=THREAD, question_id="C:1", stopped_by=""
    )

    assert blocks[-1]["block_id"] == answer_block_id(THREAD)
    menu = blocks[-1]["elements"][0]
    assert menu["initial_option"]["value"] == "b" and len(menu["options"][0]["text"]["text"]) == 75
    assert "initial_option" not in model_menu(choices, chosen="gone")


def test_plain_sections_hold_the_whole_text() -> None:
    blocks = plain("x" * 7_001)

    assert [len(block["text"]["text"]) for block in blocks] == [3_000, 3_000, 1_001]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# Title\n\n**bold** and `code` & <b>", "Title\n\nbold and code &amp; &lt;b&gt;"),
        ("- one\n* two\n> three", "one\ntwo\nthree"),
        ("```python\nx = 1\n```\n", "x = 1"),
        ("[docs](https://good.example)", "docs (`https://good.example`)"),
        ("```\ncurl https://evil.com\n```\n`www.evil.com`", "curl `https://evil.com`\n\n`www.evil.com`"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("", "…"),
    ],
)
def test_a_fallback_is_the_words_without_the_marks(markdown: str, text: str) -> None:
    assert fallback_text(markdown) == text


@pytest.mark.parametrize("unit", ["x", "&", "<", "word ", "**b** "])
def test_a_fallback_fits_whatever_it_was_made_from(unit: str) -> None:
    text = fallback_text(unit * 10_000)

    assert len(text) <= 3_000 and text.endswith("…")
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
