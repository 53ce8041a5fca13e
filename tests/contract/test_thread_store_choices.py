"""What every ThreadStore promises of choices, of expiry, and of erasing a person."""

import time
from dataclasses import replace

from bot.conversation.thread import Channel, Person
from bot.store import Mirror
from bot.store.lifetimes import DAY_S
from tests.doubles.replicas import KEY, Replicas, asked, finish, revision, said, take, ts

# Choices


async def test_a_threads_model_is_chosen_and_cleared(mirror: Mirror) -> None:
    assert not await mirror.threads.set_thread_model(KEY, "gemini")
    await mirror.turns.accept(*asked())

    for model_id in ("gemini", ""):
        assert await mirror.threads.set_thread_model(KEY, model_id)
        thread = await mirror.threads.thread(KEY)
        assert thread is not None and thread.model_id == model_id


async def test_a_person_is_stored_whole_for_each_team(mirror: Mirror) -> None:
    ann = Person("T0ACME", "U0ANN", "Ann", is_guest=True, is_stranger=True, model_id="gemma", fetched_at=1.5)
    assert await mirror.threads.person("T0ACME", "U0ANN") is None

    await mirror.threads.save_person(ann)
    await mirror.threads.save_person(replace(ann, team_id="T0OTHER", name="Annie"))
    assert await mirror.threads.person("T0ACME", "U0ANN") == ann

    await mirror.threads.save_person(Person("T0ACME", "U0ANN"))
    assert await mirror.threads.person("T0ACME", "U0ANN") == Person("T0ACME", "U0ANN")


async def test_a_channel_is_stored_whole(mirror: Mirror) -> None:
    general = Channel(
        "T0ACME",
        "C0GENERAL",
        "general",
        is_shared=True,
        model_id="gemma",
        self_hosted_only=True,
        reply_mode="final",
        fetched_at=2.5,
    )
    assert await mirror.threads.channel("T0ACME", "C0GENERAL") is None

    await mirror.threads.save_channel(general)

    assert await mirror.threads.channel("T0ACME", "C0GENERAL") == general


# Forgetting


async def test_what_has_expired_is_read_no_more(replicas: Replicas) -> None:
    today = await replicas.open(retention_days=30)
    await today.turns.accept(*asked())
    await today.threads.record(said(1))

    in_29_days = await replicas.open(retention_days=30, now=lambda: time.time() + 29 * DAY_S)
    assert len(await in_29_days.threads.messages(KEY)) == 2
    assert await in_29_days.threads.thread(KEY) is not None

    in_31_days = await replicas.open(retention_days=30, now=lambda: time.time() + 31 * DAY_S)
    assert await in_31_days.threads.messages(KEY) == []
    assert await in_31_days.threads.thread(KEY) is None
    assert not await in_31_days.threads.set_thread_model(KEY, "gemini")


async def test_an_expired_thread_begins_anew_with_the_next_question(replicas: Replicas) -> None:
    today = await replicas.open(retention_days=30)
    await today.turns.accept(*asked(0, user_id="U0ANN"), client_msg_id="m1")
    await finish(today.turns, await take(today.turns), ts(1))
    await today.threads.set_thread_model(KEY, "gemini")

    later = await replicas.open(retention_days=30, now=lambda: time.time() + 31 * DAY_S)
    turn, question = asked(9, user_id="U0BOB")
    assert await later.turns.accept(turn, question, client_msg_id="m1") == "new"

    assert await later.threads.messages(KEY) == [question]
    thread = await later.threads.thread(KEY)
    assert thread is not None and thread.starter_id == "U0BOB" and thread.model_id == "" and not thread.backfilled


async def test_a_policy_outlives_a_quiet_season(replicas: Replicas) -> None:
    today = await replicas.open(retention_days=30)
    await today.threads.save_channel(Channel("T0ACME", "C0SECRET", self_hosted_only=True))

    next_year = await replicas.open(retention_days=30, now=lambda: time.time() + 365 * DAY_S)
    await next_year.turns.accept(*asked())

    channel = await next_year.threads.channel("T0ACME", "C0SECRET")
    assert channel is not None and channel.self_hosted_only


async def test_a_person_is_erased_with_their_words_and_the_answers_that_quote_them(mirror: Mirror) -> None:
    ann, question = asked(0, user_id="U0ANN", text="I am Ann and I am ill")
    bob, bobs_question = asked(10, user_id="U0BOB")
    await mirror.turns.accept(ann, question, client_msg_id="m1")
    await mirror.turns.accept(bob, bobs_question)
    await mirror.threads.record(said(5, "more of Ann", user_id="U0ANN"))
    await mirror.threads.record(said(6, user_id="U0BOB"))
    await mirror.threads.save_person(Person("T0ACME", "U0ANN", "Ann", model_id="gemini"))
    await finish(mirror.turns, await take(mirror.turns), ts(7), "Get well, Ann")
    await finish(mirror.turns, await take(mirror.turns), ts(11))
    before = await revision(mirror)

    # Two messages, the answer, the turn, the claim, the person.
    assert await mirror.threads.erase_person("T0ACME", "U0ANN") == 6
    assert await mirror.threads.erase_person("T0ACME", "U0ANN") == 0

    assert [m.ts for m in await mirror.threads.messages(KEY)] == [ts(6), ts(10), ts(11)]
    assert await mirror.turns.turn(ann.id) is None and await mirror.turns.turn(bob.id) is not None
    assert await mirror.threads.person("T0ACME", "U0ANN") is None
    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.starter_id == "" and thread.revision > before
    await mirror.threads.record(said(5, "more of Ann", user_id="U0ANN"))  # a late copy brings nothing back
    assert len(await mirror.threads.messages(KEY)) == 3


async def test_a_person_with_more_than_a_page_of_words_is_erased_whole(mirror: Mirror) -> None:
    history = [said(n, user_id=("U0ANN", "U0BOB")[n % 2]) for n in range(430)]
    await mirror.turns.accept(*asked(1_000, user_id="U0CARL"))
    await mirror.threads.backfill(KEY, history)

    assert await mirror.threads.erase_person("T0ACME", "U0ANN") == 215

    left = {m.user_id for m in await mirror.threads.messages(KEY, limit=1_000)}
    assert left == {"U0BOB", "U0CARL"}


async def test_a_mirror_may_be_closed_twice(replicas: Replicas) -> None:
    mirror = await replicas.open()
    await mirror.turns.accept(*asked())

    await mirror.threads.close()
    await mirror.close()
