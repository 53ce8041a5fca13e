"""Who takes over a half-written answer rewrites its own messages: nothing shown vanishes, nothing is shown twice."""

import asyncio

import pytest

from bot.conversation.ports import Ending
from bot.conversation.turn import Part, ReplyMode
from bot.slack.marks import part_of
from tests.doubles.answering import ANSWERED, DM, Answering, actions_of, asked, footer_of
from tests.doubles.virtual_time import virtual_time
from tests.doubles.wireless_slack import Fault

WORDS = tuple(f"word {n} " for n in range(100))
WHOLE = "".join(WORDS)


def assert_shown_once(asking: Answering, text: str = WHOLE) -> None:
    """One message with the text, ended, and nothing that still looks busy."""
    assert asking.text == text
    assert len(asking.shown) == 1
    assert footer_of(asking.shown[0])
    assert not asking.busy
    assert [part.ts for part in asking.journal.turn.parts] == [asking.shown[0]["ts"]]


@pytest.mark.parametrize("mode", ["native", "edit"])
@pytest.mark.parametrize("channel", [DM, "C0GENERAL"])
@virtual_time
async def test_a_taken_over_answer_is_rewritten_in_its_own_message(channel: str, mode: ReplyMode) -> None:
    async with asked(channel) as asking:
        first = await asking.begin(mode)
        first.push("An answer that began well and then ")
        await asyncio.sleep(4)
        first.abandon()
        parts = asking.journal.turn.parts
        asking.taken_over(*parts, state="opening")
        shown = asking.text

        reply = await asking.begin(mode)
        for word in ("Another ", "answer, ", "which ", "is ", "longer ", "than ", "the ", "first ", "one."):
            reply.push(word)
            await asyncio.sleep(2)
            assert len(asking.text) >= len(shown)
        await reply.open()
        await reply.end(ANSWERED)

        assert_shown_once(asking, "Another answer, which is longer than the first one.")
        assert asking.journal.turn.parts == parts


@virtual_time
async def test_a_taken_over_answer_that_is_shorter_leaves_no_message_behind() -> None:
    async with asked() as asking:
        first = await asking.begin("edit")
        first.push("lorem ipsum dolor. " * 1_500)
        await first.open()
        first.abandon()
        assert len(asking.shown) == 3
        asking.taken_over(*asking.journal.turn.parts, state="running")

        await asking.answer("edit", "Short.")

        assert asking.text == "Short."
        assert len(asking.shown) == 1


@pytest.mark.parametrize("mode", ["native", "edit"])
@virtual_time
async def test_a_message_that_was_posted_but_never_recorded_is_adopted(mode: ReplyMode) -> None:
    async with asked() as asking:
        first = await asking.begin(mode)
        first.push("Half an ")
        await asyncio.sleep(1)
        first.abandon()
        asking.taken_over(state="opening")

        await asking.answer(mode, *WORDS)

        assert_shown_once(asking)


@virtual_time
async def test_where_no_attempt_is_left_what_was_shown_stays_and_is_marked_as_cut() -> None:
    async with asked() as asking:
        first = await asking.begin("native")
        first.push("Half an answer ")
        await asyncio.sleep(2)
        first.abandon()
        asking.taken_over(*asking.journal.turn.parts, state="opening")

        reply = await asking.begin("native")
        ending = Ending(kind="failed", error_code="too_many_attempts", reference="r-9", retry=1)
        await reply.end(ending)

        [message] = asking.shown
        assert asking.text == "Half an answer "
        assert "Cut off" in footer_of(message) and "r-9" in footer_of(message)
        assert [action["action_id"] for action in actions_of(message)] == ["ask_again"]
        assert not asking.busy


@pytest.mark.parametrize("mode", ["native", "edit"])
@virtual_time
async def test_where_the_last_attempt_broke_off_sooner_the_longer_text_stays_and_is_marked_as_cut(
    mode: ReplyMode,
) -> None:
    async with asked() as asking:
        first = await asking.begin(mode)
        first.push("Most of an answer, which people read. ")
        await asyncio.sleep(4)
        first.abandon()
        asking.taken_over(*asking.journal.turn.parts, state="opening")

        await asking.answer(mode, "Most of ", ending=Ending(kind="cut", error_code="stream_broken", retry=1))

        assert asking.text == "Most of an answer, which people read. "
        assert len(asking.shown) == 1 and "Cut off" in footer_of(asking.shown[0])
        assert not asking.busy


@virtual_time
async def test_an_answer_that_lacked_only_its_last_update_gets_it_and_no_second_message() -> None:
    async with asked() as asking:
        reply = await asking.begin("edit")
        reply.push("The whole answer.")
        await reply.open()
        reply.abandon()
        asking.taken_over(Part(asking.shown[0]["ts"], "edit"), state="delivering")

        reply = await asking.begin("edit")
        reply.push("The whole answer.")
        await reply.end(ANSWERED)

        assert_shown_once(asking, "The whole answer.")


@virtual_time
async def test_a_cut_stream_that_is_kept_as_it_is_is_known_as_this_turns_from_then_on() -> None:
    async with asked(DM) as asking:
        first = await asking.begin("native")
        first.push("Half an answer that ")
        await asyncio.sleep(1)
        first.abandon()
        asking.taken_over(*asking.journal.turn.parts, state="opening")

        reply = await asking.begin("native")
        await reply.end(Ending(kind="failed", error_code="too_many_attempts", reference="ref-1"))

        assert "Half an answer" in asking.text
        assert part_of(asking.shown[0], asking.journal.turn.id) == 0


@virtual_time
async def test_what_was_shown_is_not_overwritten_unseen_while_slack_cannot_be_read() -> None:
    async with asked(DM) as asking:
        first = await asking.begin("native")
        first.push("Half an answer that ")
        await asyncio.sleep(1)
        first.abandon()
        asking.taken_over(*asking.journal.turn.parts, state="opening")
        asking.slack.faults.append(Fault("conversations.replies", "trouble", times=5))

        reply = await asking.begin("native")
        await reply.end(Ending(kind="failed", error_code="too_many_attempts", reference="ref-1"))

        assert "Half an answer" in asking.text and not asking.busy


@pytest.mark.parametrize("mode", ["native", "edit"])
@virtual_time
async def test_what_an_earlier_owner_wrote_too_late_is_made_good(mode: ReplyMode) -> None:
    async with asked() as asking:
        first = await asking.begin(mode)
        first.push("Half an ")
        await asyncio.sleep(4)
        first.abandon()
        (part,) = asking.journal.turn.parts
        asking.taken_over(part, state="opening")
        reply = await asking.begin(mode)
        reply.push(WHOLE)
        await reply.open()
        late = {"channel": asking.channel, "text": "Half an answer that"}
        mark = {"event_type": "tandem_turn", "event_payload": {"turn": asking.journal.turn.id, "part": 0}}

        ending = asyncio.create_task(reply.end(ANSWERED))
        while not footer_of(asking.shown[0]):
            await asyncio.sleep(0.01)
        asking.slack.latency_s = 0  # before the reply looks again
        overwritten = {"ts": part.ts, "blocks": [{"type": "markdown", "text": late["text"]}]}
        await asking.slack.request("chat.update", late | overwritten)
        await asking.slack.request("chat.postMessage", late | {"thread_ts": asking.root, "metadata": mark})
        await ending

        assert_shown_once(asking)


@pytest.mark.parametrize("mode", ["native", "edit"])
@virtual_time
async def test_what_slack_lists_late_keeps_what_people_have_read_of_it(mode: ReplyMode) -> None:
    async with asked() as asking:
        first = await asking.begin(mode)
        first.push("Most of an answer, which people have read by now. ")
        await asyncio.sleep(4)
        first.abandon()
        asking.taken_over(state="opening")
        asking.slack.unlisted = {asking.shown[0]["ts"]}

        await asking.answer(mode, "Most of ", ending=Ending(kind="cut", error_code="stream_broken", retry=1))

        assert asking.text.startswith("Most of an answer, which people have read by now.")
        assert len(asking.shown) == 1


@pytest.mark.parametrize("mode", ["native", "edit"])
@virtual_time
async def test_a_second_message_that_slack_lists_late_does_not_stay_beside_the_one_that_replaces_it(
    mode: ReplyMode,
) -> None:
    words = [f"word {n:03} of it. " for n in range(60)]
    async with asked(DM, rollover_chars=300) as asking:
        first = await asking.begin(mode)
        for word in words[:40]:
            first.push(word)
            await asyncio.sleep(0.3)
        first.abandon()
        *recorded, late = asking.journal.turn.parts
        asking.taken_over(*recorded, state="opening")
        asking.slack.unlisted = {late.ts}

        await asking.answer(mode, *words)

        assert "".join(asking.text.split()) == "".join("".join(words).split())
        assert not asking.busy
