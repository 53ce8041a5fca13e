"""Prompts: alternation, names, budgets, and beginnings that stay the same from turn to turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.history import Exchange, exchanges
from bot.conversation.models import PromptTurn, Sampling
from bot.conversation.prompt import Budget, Composed, compose, tokens
from bot.conversation.thread import File, Message, Place
from bot.errors import PromptTooLong
from tests.doubles.sayings import KEY, ROOT_TS, answered, said, ts, turn

ROOMY = Budget(prompt_tokens=8000, history_tokens=4000, history_messages=400)


def composed(
    messages: list[Message], asked: Message, *, place: Place = "channel", budget: Budget = ROOMY, cut: bool = False
) -> Composed:
    history = exchanges([*messages, asked], turn(asked.ts, place=place))
    return compose(
        history,
        asked,
        persona="Be kind.",
        place=place,
        budget=budget,
        sampling=Sampling(),
        reach="cut" if cut else "all",
    )


def conversation(turns: int, words: int = 3) -> list[Message]:
    """A thread of so many answered questions."""
    messages = []
    for n in range(turns):
        at = ts(2 * n + 1)
        messages += [
            said(f"q{n} " + "word " * words, at, asks=True),
            answered(f"a{n} " + "word " * words, at, ts(2 * n + 2)),
        ]
    return messages


def test_speakers_are_named_in_channels_and_not_in_direct_messages() -> None:
    messages = [said("q", ROOT_TS, asks=True), answered("a", ROOT_TS, ts(1))]
    asked = said("and now?", ts(2), asks=True, name="Ben")

    in_channel = composed(messages, asked).prompt
    in_dm = composed(messages, asked, place="dm").prompt

    assert [t.text for t in in_channel.turns] == ["Ada: q", "a", "Ben: and now?"]
    assert [t.text for t in in_dm.turns] == ["q", "a", "and now?"]
    assert in_dm.system == "Be kind." and in_channel.system.startswith("Be kind.\n\n")


def test_neighbours_of_one_role_are_one_turn() -> None:
    prompt = composed([said("one", ROOT_TS), said("two", ts(1))], said("three", ts(2), asks=True), place="dm").prompt

    assert prompt.turns == (PromptTurn("user", "one\n\ntwo\n\nthree"),)


def test_a_thread_that_begins_with_an_answer_still_begins_with_the_user() -> None:
    orphan = answered("hello", ts(2) + "1", ts(2))  # its question was deleted

    prompt = composed([orphan], said("hi", ts(3), asks=True), place="dm").prompt

    assert [t.role for t in prompt.turns] == ["user", "model", "user"]


def test_a_file_is_named_though_not_shown() -> None:
    asked = Message(KEY, ts(1), "user", "what is this?", files=(File("F1", "plan.pdf", "application/pdf", 10),))

    assert composed([], asked, place="dm").prompt.turns[-1].text.endswith("[attached file, not shown: plan.pdf]")


def test_a_question_that_alone_is_too_long_is_refused_with_the_limit() -> None:
    small = Budget(prompt_tokens=300, history_tokens=300, history_messages=10)

    with pytest.raises(PromptTooLong) as caught:
        composed([], said("word " * 2000, ts(1), asks=True), budget=small)

    assert caught.value.limit_tokens is not None and 0 < caught.value.limit_tokens < 300


def test_a_cut_drops_at_least_a_quarter_of_the_budget_at_once() -> None:
    budget = Budget(prompt_tokens=8000, history_tokens=400, history_messages=400)
    messages = conversation(30)

    result = composed(messages, said("now", ts(99), asks=True), budget=budget)

    kept = [m for m in messages if m.ts >= result.cut_ts]
    assert result.shortened and sum(tokens(m.text) + tokens(m.name) + 8 for m in kept) <= 300


def test_after_a_cut_prompts_begin_alike_until_the_next_one() -> None:
    budget = Budget(prompt_tokens=8000, history_tokens=400, history_messages=400)
    messages = conversation(40)
    first = composed(messages[:40], said("now", ts(41), asks=True), budget=budget)
    kept = [m for m in messages[:44] if m.ts >= first.cut_ts]

    second = composed(kept, said("now", ts(45), asks=True), budget=budget, cut=True)

    beginning = [t.text for t in first.prompt.turns[:-1]]
    assert not second.cut_ts and [t.text for t in second.prompt.turns[: len(beginning)]] == beginning


def test_too_many_messages_are_cut_like_too_many_tokens() -> None:
    budget = Budget(prompt_tokens=80_000, history_tokens=40_000, history_messages=20)

    result = composed(conversation(15, words=1), said("now", ts(99), asks=True), budget=budget)

    assert result.cut_ts == ts(2 * 8 + 1)  # seven exchanges, fourteen messages: within three quarters of twenty


def test_the_model_is_told_that_history_was_cut() -> None:
    budget = Budget(prompt_tokens=8000, history_tokens=200, history_messages=400)

    prompt = composed(conversation(20), said("now", ts(99), asks=True), budget=budget).prompt

    assert prompt.turns[0].text.startswith("(Earlier messages of this thread are left out.)")


words = st.text(alphabet="ab \n", min_size=0, max_size=30)


@given(st.lists(st.tuples(st.sampled_from(["user", "model"]), words), max_size=20), words.filter(str.strip))
def test_every_prompt_alternates_and_ends_with_the_question(said_: list[tuple[str, str]], asked: str) -> None:
    history = [
        Exchange((Message(KEY, ts(n), "user" if role == "user" else "model", text, name="Ada"),), ts(n))
        for n, (role, text) in enumerate(said_)
    ]

    prompt = compose(
        history, said(asked, ts(99), asks=True), persona="", place="dm", budget=ROOMY, sampling=Sampling()
    ).prompt

    roles = [t.role for t in prompt.turns]
    assert roles == ["user" if n % 2 == 0 else "model" for n in range(len(roles))] and roles[-1] == "user"
    assert all(t.text.strip() for t in prompt.turns) and prompt.turns[-1].text.endswith(asked.strip())
