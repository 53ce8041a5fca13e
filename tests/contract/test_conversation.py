"""From a message that arrives to what people see and what the mirror keeps."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation.arrival import Deletion, Edit, Stop
from bot.conversation.mirror import Taken
from bot.conversation.models import Chunk
from bot.conversation.triage import Rules
from bot.errors import (
    ModelMisconfigured,
    ModelUnavailable,
    PromptTooLong,
    SlackRejected,
    SlackUnavailable,
    StreamBroken,
)
from tests.doubles.core import Core, People, core, model
from tests.doubles.sayings import CHANNEL, KEY, ROOT_TS, arrival, said, ts, turn
from tests.doubles.scripted_model import ScriptedModel


async def test_a_mention_is_answered_and_mirrored(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma", "Hel", "lo.")]) as bot:
        outcome = await bot.intake.message(arrival("hi", mentions_us=True))
        shown = await bot.settled()

        assert outcome.fate == "accepted" and [each.text for each in shown] == ["Hello."]
        assert shown[0].ending is not None and shown[0].ending.kind == "answered"
        assert [(m.role, m.text) for m in await bot.messages(KEY)] == [("user", "hi"), ("model", "Hello.")]


async def test_the_twin_events_of_one_mention_are_one_answer(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await asyncio.gather(*(bot.intake.message(arrival("hi", mentions_us=True)) for _ in range(5)))

        assert len(await bot.settled()) == 1


async def test_a_follow_up_is_answered_in_our_thread_and_knows_what_was_said(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("and then?", ts(5), by="U0BEN"))
        await bot.settled()

        prompt = bot.models["gemma"].prompts[-1]
        assert [turn.text for turn in prompt.turns] == ["Ada: hi", "Hello.", "Ben: and then?"]


async def test_a_thread_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        outcome = await bot.intake.message(arrival("and then?", ts(5)))

        assert (outcome.fate, outcome.reason) == ("ignored", "not_our_thread")
        assert await bot.settled() == [] and await bot.mirror.threads.thread(KEY) is None


async def test_a_reply_to_somebody_else_is_mirrored_and_not_answered(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        outcome = await bot.intake.message(arrival("@Ben look", ts(5), mentions_others=True))

        assert (outcome.fate, outcome.reason) == ("mirrored", "to_somebody_else")
        assert [m.text for m in await bot.messages(KEY)] == ["hi", "Hello.", "@Ben look"]


async def test_follow_ups_can_be_turned_off_and_are_mirrored_still(tmp_path: Path) -> None:
    async with core(tmp_path, rules=Rules(follow_ups=False)) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("and then?", ts(5)))

        assert len(await bot.settled()) == 1 and len(await bot.messages(KEY)) == 3


async def test_questions_that_come_while_a_thread_is_busy_are_answered_in_order(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([[0.05, "one"], ["two"], ["three"], ["four"]])]) as bot:
        await bot.intake.message(arrival("q1", mentions_us=True))
        for n in (3, 2, 4):
            await bot.intake.message(arrival(f"q{n}", ts(n), mentions_us=True))
        shown = await bot.settled()

        assert [(each.turn_id, each.text) for each in shown] == [
            (f"{CHANNEL}:{ROOT_TS}", "one"),
            (f"{CHANNEL}:{ts(2)}", "two"),
            (f"{CHANNEL}:{ts(3)}", "three"),
            (f"{CHANNEL}:{ts(4)}", "four"),
        ]


async def test_stop_ends_the_running_answer_keeps_what_was_shown_and_drops_what_waits(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once upon", 30.0, "never"]])
    async with core(tmp_path, models=[talker]) as bot:
        await bot.intake.message(arrival("q1", mentions_us=True))
        await bot.intake.message(arrival("q2", ts(1), mentions_us=True))
        await _until(lambda: bool(talker.prompts))
        outcome = await bot.intake.message(arrival("stop", ts(2), by="U0BEN"))
        shown = await bot.settled()

        assert outcome.stopped == 2 and talker.closed == 1
        assert [(each.text, each.ending and each.ending.kind) for each in shown] == [("Once upon", "stopped")]
        assert bot.transcript.notices == [(f"{CHANNEL}:{ts(1)}", "questions_withdrawn", {"count": "1"})]
        assert "Once upon" in [m.text for m in await bot.messages(KEY)]


async def test_a_stop_that_is_delivered_again_does_not_stop_what_was_asked_since(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([[0.2, "fine"]])]) as bot:
        await bot.intake.message(arrival("q1", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("q2", ts(5), mentions_us=True))
        outcome = await bot.intake.stop(Stop(KEY, ts(3), "U0ADA"))

        assert outcome.stopped == 0 and [each.text for each in await bot.settled()] == ["fine", "fine"]


async def test_a_stop_with_nothing_to_stop_says_so_once_when_it_was_said_to_the_bot(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        for _ in range(3):
            await bot.intake.message(arrival("stop", mentions_us=True))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["nothing_to_stop"]


async def test_a_stop_at_a_dms_root_ends_what_runs_in_that_dm(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0]])
    async with core(tmp_path, models=[talker]) as bot:
        await bot.intake.message(arrival("tell me", place="dm"))
        await _until(lambda: bool(talker.prompts))
        later = type(KEY)(CHANNEL, ts(7))
        outcome = await bot.intake.message(arrival("stop", ts(7), thread=later, place="dm"))
        shown = await bot.settled()

        assert outcome.stopped == 1 and [each.ending and each.ending.kind for each in shown] == ["stopped"]


async def test_a_stop_reaches_the_replica_that_runs_the_turn_within_two_seconds(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0]])
    async with core(tmp_path, models=[talker]) as one, core(tmp_path, owner="replica-2") as two:
        await one.intake.message(arrival("q", mentions_us=True))
        await _until(lambda: bool(talker.prompts))
        await two.intake.message(arrival("stop", ts(1)))
        await _until(lambda: talker.closed == 1, timeout_s=2.0)

        assert [each.ending and each.ending.kind for each in await one.settled()] == ["stopped"]


async def test_an_edit_is_in_the_next_prompt_and_a_deletion_gone_from_it(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("the code is 1234", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("aside", ts(4), mentions_others=True))
        await bot.intake.edited(Edit(KEY, ROOT_TS, "the code is secret", ts(5)))
        await bot.intake.deleted(Deletion(KEY, ts(4), "U0ADA"))
        await bot.intake.message(arrival("which code?", ts(6)))
        await bot.settled()

        texts = [turn.text for turn in bot.models["gemma"].prompts[-1].turns]
        assert texts == ["Ada: the code is secret", "Hello.", "Ada: which code?"]


async def test_deleting_the_question_while_it_is_answered_withdraws_the_answer(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0]])
    async with core(tmp_path, models=[talker]) as bot:
        await bot.intake.message(arrival("q", mentions_us=True))
        await _until(lambda: bool(talker.prompts))
        await bot.intake.deleted(Deletion(KEY, ROOT_TS, "U0ADA"))
        shown = await bot.settled()

        assert talker.closed == 1 and [each.ending and each.ending.kind for each in shown] == ["withdrawn"]


async def test_the_other_model_sees_what_the_first_one_said(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini", where="managed")]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("model gemini", ts(1), mentions_us=True))
        await bot.intake.message(arrival("and you?", ts(2)))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["", "model_set", ""]
        assert [t.text for t in bot.models["gemini"].prompts[0].turns] == ["Ada: hi", "I am gemma.", "Ada: and you?"]
        assert shown[-1].ending is not None and shown[-1].ending.model_label == "Gemini"


async def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")]) as bot:
        await bot.intake.message(arrival("model gpt", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "unknown_model"
        assert ending.facts == {"name": "gpt", "known": "`gemma` (Gemma), `gemini` (Gemini)"}


async def test_words_in_passing_that_only_begin_like_a_command_are_a_question(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")]) as bot:
        await bot.intake.message(arrival("which hobby?", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("model trains", ts(1)))
        await bot.settled()
        await bot.intake.message(arrival("!model gemini", ts(2)))
        await bot.settled()
        await bot.intake.message(arrival("", ts(3)))
        await bot.intake.message(arrival("and why?", ts(4)))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["", "", "model_set", ""]
        assert [t.text for t in bot.models["gemini"].prompts[0].turns] == [
            "Ada: which hobby?",
            "I am gemma.",
            "Ada: model trains",
            "I am gemma.",
            "Ada: and why?",
        ]


async def test_a_stop_in_passing_is_mirrored_and_in_no_prompt(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("stop", ts(1)))
        await bot.intake.message(arrival("and then?", ts(2)))
        await bot.settled()

        assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "stop", "and then?"]
        assert [t.text for t in bot.models["gemma"].prompts[-1].turns] == ["Ada: hi", "Hello.", "Ada: and then?"]


async def test_the_marked_command_sets_the_model_also_where_follow_ups_are_off(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")], rules=Rules(follow_ups=False)) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("!model gemini", ts(1)))

        assert [each.ending and each.ending.error_code for each in await bot.settled()] == ["", "model_set"]


async def test_a_guest_may_ask_but_not_choose(tmp_path: Path) -> None:
    async with core(tmp_path, people=People(guests=frozenset({"U0GIA"}))) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True, by="U0GIA"))
        await bot.intake.message(arrival("!model gemma", ts(1), by="U0GIA"))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["", "not_allowed_guest"]


async def test_a_thread_that_the_bot_joins_late_is_backfilled_once(tmp_path: Path) -> None:
    people = People(archive=[said("earlier", ROOT_TS), said("and more", ts(1), by="U0BEN", name="Ben")])
    async with core(tmp_path, people=people) as bot:
        await bot.intake.message(arrival("what do you think?", ts(2), mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("sure?", ts(9)))
        await bot.settled()

        assert people.asked.count(f"history of {KEY}") == 1
        first = [turn.text for turn in bot.models["gemma"].prompts[0].turns]
        assert first == ["Ada: earlier\n\nBen: and more\n\nAda: what do you think?"]


async def test_slacks_refusal_of_the_backfill_costs_knowledge_but_no_answer(tmp_path: Path) -> None:
    async with core(tmp_path, people=People(archive_error=SlackUnavailable("conversations.replies"))) as bot:
        await bot.intake.message(arrival("what do you think?", ts(2), mentions_us=True))

        assert [each.text for each in await bot.settled()] == ["Hello."]


async def test_a_stand_in_answers_while_the_chosen_model_cannot_and_says_so(tmp_path: Path) -> None:
    gemma, demo = model("gemma", stand_in="demo"), model("demo", where="built-in")
    gemma.scripts = [[ModelUnavailable("loading")]]
    async with core(tmp_path, models=[gemma, demo]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]

        assert shown.text == "I am demo." and shown.ending is not None
        assert shown.ending.notes == ("stood_in:Gemma",) and shown.ending.model_label == "Demo"


@pytest.mark.parametrize(
    ("error", "code"),
    [(ModelUnavailable("x"), "model_unavailable"), (ModelMisconfigured("x"), "model_misconfigured")],
)
async def test_a_model_that_does_not_answer_is_apologised_for_with_a_way_to_try_again(
    tmp_path: Path, error: Exception, code: str
) -> None:
    async with core(tmp_path, models=[ScriptedModel([[error]])]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and (ending.kind, ending.error_code, ending.reference) == ("failed", code, "ref-1")
        assert ending.retry == 1


async def test_a_cut_stream_is_never_shown_as_complete(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([["Half an", StreamBroken("reset")]])]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]

        assert shown.text == "Half an" and shown.ending is not None and shown.ending.kind == "cut"


async def test_a_bug_is_apologised_for_too(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([[ZeroDivisionError("bug")]])]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and (ending.kind, ending.error_code) == ("failed", "internal")


async def test_an_empty_answer_is_asked_for_once_more_and_then_said_to_be_empty(tmp_path: Path) -> None:
    mute = ScriptedModel([["  "]])
    async with core(tmp_path, models=[mute]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert len(mute.prompts) == 2 and ending is not None and ending.error_code == "empty_answer"


async def test_a_blocked_answer_is_a_refusal_and_nobody_else_is_asked(tmp_path: Path) -> None:
    gemini, gemma = model("gemini", stand_in="gemma"), model("gemma")
    gemini.scripts = [[Chunk(finish="blocked", detail="SAFETY")]]
    async with core(tmp_path, models=[gemini, gemma]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.kind == "refused" and gemma.prompts == []


async def test_a_prompt_that_the_server_finds_too_long_is_halved_once(tmp_path: Path) -> None:
    gemma = ScriptedModel([[PromptTooLong("x", 100)], ["Fits."]])
    async with core(tmp_path, models=[gemma]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))

        assert [each.text for each in await bot.settled()] == ["Fits."] and len(gemma.prompts) == 2


async def test_a_message_longer_than_the_model_takes_is_told_the_limit(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma", context_tokens=2048)]) as bot:
        await bot.intake.message(arrival("word " * 5000, mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "prompt_too_long" and 1000 < ending.limit < 4000


async def test_asking_again_is_a_turn_of_its_own_and_a_double_click_is_one(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([["Bad."], ["Good."]])]) as bot:
        first = await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await asyncio.gather(*(bot.intake.again(first.turn_id, 1, "U0BEN") for _ in range(2)))
        shown = await bot.settled()

        assert [each.text for each in shown] == ["Bad.", "Good."]
        assert [t.text for t in bot.models["gemma"].prompts[1].turns] == ["Ada: hi"]


async def test_asking_again_finds_a_question_that_is_older_than_what_a_prompt_holds(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma", history_messages=4)]) as bot:
        first = await bot.intake.message(arrival("the oldest question", mentions_us=True))
        for n in range(1, 9):
            await bot.intake.message(arrival(f"q{n}", ts(n)))
        await bot.settled()
        await bot.intake.again(first.turn_id, 1, "U0BEN")
        shown = await bot.settled()

        assert shown[-1].text == "I am gemma." and len(shown) == 10
        assert bot.models["gemma"].prompts[-1].turns[-1].text.endswith("Ada: the oldest question")


async def test_asking_again_in_a_vanished_thread_does_nothing(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        assert (await bot.intake.again(f"{CHANNEL}:{ts(1)}", 1, "U0ADA")).reason == "vanished_thread"


async def test_a_model_that_is_gone_is_replaced_by_the_default_and_that_is_said(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.mirror.threads.set_thread_model(KEY, "gpt-1")
        await bot.intake.message(arrival("still there?", ts(3)))
        ending = (await bot.settled())[-1].ending

        assert ending is not None and ending.notes == ("gone:gpt-1",)


async def test_a_reply_that_overtakes_the_mention_is_answered_once_the_thread_is_ours(tmp_path: Path) -> None:
    root = f"{time.time():.6f}"
    thread = type(KEY)(CHANNEL, root)
    reply_ts = f"{float(root) + 1:.6f}"
    async with core(tmp_path) as bot:
        held = await bot.intake.message(arrival("and more?", reply_ts, thread=thread))
        await bot.intake.message(arrival("hi", root, thread=thread, mentions_us=True))
        shown = await bot.settled()

        assert held.fate == "held" and [each.turn_id for each in shown] == [
            f"{CHANNEL}:{root}",
            f"{CHANNEL}:{reply_ts}",
        ]


async def test_slacks_trouble_with_the_last_update_is_made_good_later_without_asking_the_model_again(
    tmp_path: Path,
) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.end_errors = [SlackUnavailable("chat.update")]
        await bot.intake.message(arrival("hi", mentions_us=True))
        await _until(lambda: any(each.ending for each in bot.transcript.shown), timeout_s=8.0)
        shown = await bot.settled()

        assert [each.text for each in shown] == ["Hello."] and len(bot.models["gemma"].prompts) == 1


async def test_slacks_no_to_the_last_update_is_final(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.end_errors = [SlackRejected("chat.update", "message_not_found")]
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()

        closed = await bot.mirror.turns.turn(f"{CHANNEL}:{ROOT_TS}")
        assert closed is not None and closed.state == "answered"


async def _left_by(bot: Core, *owners: str, lease_s: float = 1.0) -> str:
    """A question that each of these processes began and died of; the turn's id."""
    asked = turn(ROOT_TS)
    await bot.mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
    for owner in owners:
        assert isinstance(await bot.mirror.turns.take(KEY, owner, lease_s), Taken)
        await asyncio.sleep(lease_s + 0.1)
    return asked.id


async def test_a_replica_finds_the_turn_of_one_that_died_by_itself(tmp_path: Path) -> None:
    async with core(tmp_path, lease_s=1.0) as bot:
        await _left_by(bot, "dead-1")
        await _until(lambda: bool(bot.transcript.shown), timeout_s=5.0)

        assert [each.text for each in await bot.settled()] == ["Hello."]


async def test_a_turn_that_kills_every_process_ends_after_three_attempts(tmp_path: Path) -> None:
    async with core(tmp_path, owner="nobody", lease_s=60.0) as bot:
        id_ = await _left_by(bot, "dead-1", "dead-2", "dead-3")
    async with core(tmp_path, lease_s=1.0) as bot:
        bot.worker.wake(KEY)
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "too_many_attempts"
        left = await bot.mirror.turns.turn(id_)
        assert left is not None and left.state == "dead" and bot.models["gemma"].prompts == []


async def test_draining_gives_the_turn_back_without_costing_an_attempt(tmp_path: Path) -> None:
    hung = ScriptedModel([["Half", 60.0]])
    async with core(tmp_path, models=[hung]) as one:
        outcome = await one.intake.message(arrival("hi", mentions_us=True))
        await _until(lambda: bool(hung.prompts))
        await one.worker.drain(0.05)

        left = await one.mirror.turns.turn(outcome.turn_id)
        assert left is not None and left.open and left.attempts == 0
        assert await one.mirror.turns.take(KEY, "replica-2", 10.0) is not None


async def _until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
