"""A turn's status begins, and ends whatever Slack answers."""

import pytest

from bot.conversation.ports import Ending
from bot.conversation.turn import ReplyMode
from bot.slack.status import ASSISTANT, SESSIONS
from tests.doubles.answering import asked
from tests.doubles.virtual_time import virtual_time
from tests.doubles.wireless_slack import Fault

WORDS = tuple(f"word {n} " for n in range(100))


@pytest.mark.parametrize("refused", ["feature_disabled", "missing_scope", "not_authorized", "unknown_method"])
@virtual_time
async def test_an_app_without_sessions_says_that_it_works_in_the_older_way(refused: str) -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault(SESSIONS, "refuse", code=refused, times=99))
        await asking.answer("edit", "one")
        await asking.answer("edit", "two")

        assert [status["status"] for status in asking.statuses] == ["is working…", "", "is working…", ""]
        assert len(asking.slack.named(SESSIONS)) == 1
        assert len(asking.slack.named(ASSISTANT)) == 4
        assert not asking.busy


@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@pytest.mark.parametrize("effect", [True, False])
@virtual_time
async def test_a_status_ends_though_its_beginning_was_never_confirmed(mode: ReplyMode, effect: bool) -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault(SESSIONS, "trouble", effect=effect))
        await asking.answer(mode, *WORDS)

        assert not asking.busy


@virtual_time
async def test_a_status_that_could_not_be_ended_is_ended_again() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault(SESSIONS, "trouble", after=1, times=2))
        await asking.answer("edit", "hello")

        assert not asking.busy


@virtual_time
async def test_a_turn_that_ends_at_once_ends_its_status_after_it_began() -> None:
    async with asked() as asking:
        reply = await asking.begin("edit")
        await reply.end(Ending(kind="stopped"))

        assert not asking.busy
