"""Who decides on the model: thread, channel, user, workspace, and the channel's policy above them all."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation.thread import Channel, Person
from bot.errors import ModelUnavailable
from bot.slack.apologies import in_place_of_answer
from tests.doubles.core import Core, People, core, model
from tests.doubles.sayings import CHANNEL, KEY, arrival, ts

TEAM = "T0TANDEM"


async def resolved(bot: Core, *, of_thread: bool = False) -> tuple[str, str]:
    thread = await bot.mirror.threads.thread(KEY) if of_thread else None
    choice = await bot.chooser.resolve(team_id=TEAM, channel_id=CHANNEL, user_id="U0ADA", thread=thread)
    return (choice.entry.id if choice.entry else "", choice.level)


async def test_the_narrower_choice_wins(tmp_path: Path) -> None:
    people = People(members={CHANNEL: frozenset({"U0ADA"})})
    async with core(tmp_path, models=[model("gemma"), model("gemini")], people=people) as bot:
        assert await resolved(bot) == ("gemma", "workspace")

        await bot.chooser.set_for_user("Gemini", team_id=TEAM, user_id="U0ADA")
        assert await resolved(bot) == ("gemini", "user")

        await bot.chooser.set_for_channel(CHANNEL, "gemma", team_id=TEAM, user_id="U0ADA")
        assert await resolved(bot) == ("gemma", "channel")

        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.chooser.set_for_thread(KEY, "`gemini`", team_id=TEAM, user_id="U0BEN")
        assert await resolved(bot, of_thread=True) == ("gemini", "thread")


async def test_a_channels_model_is_for_its_members_to_choose(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        chosen = await bot.chooser.set_for_channel(CHANNEL, "gemma", team_id=TEAM, user_id="U0BEN")

        assert chosen.refusal == "not_a_member" and await bot.mirror.threads.channel(TEAM, CHANNEL) is None


async def test_a_choice_taken_back_leaves_what_would_be_chosen_without_it(tmp_path: Path) -> None:
    people = People(members={CHANNEL: frozenset({"U0ADA"})})
    async with core(tmp_path, models=[model("gemma"), model("gemini")], people=people) as bot:
        await bot.mirror.threads.save_person(Person(TEAM, "U0ADA", "Ada", model_id="gemini"))
        await bot.mirror.threads.save_channel(Channel(TEAM, CHANNEL, model_id="gemma"))
        await bot.intake.message(arrival("!model gemini", mentions_us=True))
        await bot.intake.message(arrival("Model Default", ts(1), mentions_us=True))
        said = [in_place_of_answer(each.ending) for each in await bot.settled() if each.ending]
        assert said[-1] == "No model is chosen for this thread now, so Gemma answers here, as chosen for this channel."
        assert await resolved(bot, of_thread=True) == ("gemma", "channel")

        await bot.chooser.set_for_channel(CHANNEL, "`default`", team_id=TEAM, user_id="U0ADA")
        assert await resolved(bot) == ("gemini", "user")

        await bot.chooser.set_for_user("default", team_id=TEAM, user_id="U0ADA")
        assert await resolved(bot) == ("gemma", "workspace")


@pytest.mark.parametrize(("by", "refusal"), [("U0GIA", "not_allowed_guest"), ("U0BEN", "not_a_member")])
async def test_only_who_may_choose_may_take_a_choice_back(tmp_path: Path, by: str, refusal: str) -> None:
    async with core(tmp_path, people=People(guests=frozenset({"U0GIA"}))) as bot:
        await bot.mirror.threads.save_channel(Channel(TEAM, CHANNEL, model_id="gemma"))

        chosen = await bot.chooser.set_for_channel(CHANNEL, "default", team_id=TEAM, user_id=by)

        assert chosen.refusal == refusal and await resolved(bot) == ("gemma", "channel")


async def test_guests_choose_nothing(tmp_path: Path) -> None:
    async with core(tmp_path, people=People(guests=frozenset({"U0GIA"}))) as bot:
        chosen = await bot.chooser.set_for_user("gemma", team_id=TEAM, user_id="U0GIA")

        assert chosen.refusal == "not_allowed_guest"


async def test_a_guest_who_is_refused_is_offered_no_menu(tmp_path: Path) -> None:
    models, people = [model("gemma"), model("gemini")], People(guests=frozenset({"U0GIA"}))
    async with core(tmp_path, models=models, people=people) as bot:
        await bot.intake.message(arrival("!model gemini", mentions_us=True, by="U0GIA"))
        await bot.intake.message(arrival("!model gpt", ts(1), mentions_us=True, by="U0ADA"))
        endings = [each.ending for each in await bot.settled() if each.ending]

        offered = [(ending.error_code, len(ending.choices)) for ending in endings]
        assert offered == [("not_allowed_guest", 0), ("unknown_model", 2)]


async def test_a_self_hosted_only_channel_is_never_answered_by_a_managed_model(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemini", where="managed"), model("gemma")]) as bot:
        await bot.mirror.threads.save_channel(Channel(TEAM, CHANNEL, self_hosted_only=True))
        await bot.mirror.threads.save_person(Person(TEAM, "U0ADA", model_id="gemini"))
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.model_label == "Gemma" and ending.notes == ("overruled:Gemini",)
        assert [choice.id for choice in ending.choices] == [] and bot.models["gemini"].prompts == []
        refused = await bot.chooser.set_for_thread(KEY, "gemini", team_id=TEAM, user_id="U0ADA")
        assert refused.refusal == "self_hosted_only"


async def test_a_managed_model_never_stands_in_where_words_may_not_leave(tmp_path: Path) -> None:
    gemma = model("gemma", stand_in="gemini")
    gemma.scripts = [[ModelUnavailable("down")]]
    gemini = model("gemini", where="managed")
    async with core(tmp_path, models=[gemma, gemini]) as bot:
        await bot.mirror.threads.save_channel(Channel(TEAM, CHANNEL, self_hosted_only=True))
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "model_unavailable" and gemini.prompts == []


async def test_a_channel_where_nobody_may_answer_says_so(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemini", where="managed")]) as bot:
        await bot.mirror.threads.save_channel(Channel(TEAM, CHANNEL, self_hosted_only=True))
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and (ending.kind, ending.error_code) == ("refused", "no_model_allowed")


async def test_a_channel_has_its_own_reply_mode(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.mirror.threads.save_channel(replace(Channel(TEAM, CHANNEL), reply_mode="final"))
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()

        assert bot.transcript.modes == ["final"]


async def test_in_a_thread_it_is_said_whose_own_choice_counts(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")]) as bot:
        await bot.mirror.threads.save_person(Person(TEAM, "U0ADA", "Ada", model_id="gemini"))
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("!model", ts(1), by="U0BEN"))
        ending = (await bot.settled())[-1].ending

        assert ending is not None and in_place_of_answer(ending).startswith(
            "Gemini answers here, as chosen by Ada for the threads Ada begins."
        )
