"""What every TurnStore promises."""

import asyncio
from dataclasses import replace

import pytest

from bot.conversation.mirror import Busy, Lease, Signal, Taken
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Part, TurnState
from bot.errors import LeaseLost
from bot.store import Mirror
from tests.doubles.replicas import KEY, LEASE_S, Replicas, answered, asked, finish, said, take, ts

SHORT_S = 0.4  # a lease that dies within a test


# Accepting


async def test_a_question_is_accepted_once(mirror: Mirror) -> None:
    turn, question = asked()

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "new"
    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "known"

    assert await mirror.turns.open_turns(KEY) == [turn]
    assert await mirror.threads.messages(KEY) == [question]


async def test_of_twins_that_race_one_is_new(replicas: Replicas) -> None:
    processes = [await replicas.open() for _ in range(4)]
    turn, question = asked()

    outcomes = await asyncio.gather(
        *(each.turns.accept(turn, question, client_msg_id="m1") for each in processes for _ in range(3))
    )

    assert sorted(outcomes) == ["known"] * 11 + ["new"]
    thread = await processes[0].threads.thread(KEY)
    assert thread is not None and thread.revision == 1


async def test_a_phantom_with_another_ts_and_the_same_client_msg_id_is_known(mirror: Mirror) -> None:
    turn, question = asked(0)
    phantom, copy = asked(1)

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "new"
    assert await mirror.turns.accept(phantom, copy, client_msg_id="m1") == "known"

    assert await mirror.turns.turn(phantom.id) is None
    assert await mirror.threads.messages(KEY) == [question]


async def test_one_client_msg_id_in_two_channels_is_two_questions(mirror: Mirror) -> None:
    turn, question = asked()
    other, same_words = asked(key=ThreadKey("C0OTHER", KEY.thread_ts))

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "new"
    assert await mirror.turns.accept(other, same_words, client_msg_id="m1") == "new"


async def test_the_copy_of_a_closed_turn_is_known(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    await finish(mirror.turns, await take(mirror.turns), ts(1))

    assert await mirror.turns.accept(turn, question) == "known"
    assert await mirror.turns.open_turns(KEY) == []


async def test_a_question_that_was_deleted_first_is_never_stored(mirror: Mirror) -> None:
    turn, question = asked(text="my password is hunter2")
    await mirror.threads.delete(KEY, question.ts)

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "deleted"

    assert await mirror.turns.turn(turn.id) is None
    assert await mirror.threads.messages(KEY) == []
    assert await mirror.threads.thread(KEY) is None


async def test_an_edit_that_came_before_its_question_wins(mirror: Mirror) -> None:
    turn, question = asked(text="teh sky?")
    await mirror.threads.edit(KEY, question.ts, "the sky?", ts(5))

    assert await mirror.turns.accept(turn, question) == "new"

    assert await mirror.threads.messages(KEY) == [replace(question, text="the sky?", edited_ts=ts(5))]


async def test_a_message_that_was_there_already_becomes_the_question(mirror: Mirror) -> None:
    turn, question = asked(3)
    await mirror.threads.record(replace(question, turn_id="", name="Ann"))

    assert await mirror.turns.accept(turn, question) == "new"

    assert await mirror.threads.messages(KEY) == [replace(question, name="Ann")]


async def test_the_root_makes_a_thread_that_has_no_past(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None
    assert (thread.key, thread.team_id, thread.starter_id, thread.place) == (KEY, "T0ACME", "U0ANN", "channel")
    assert thread.backfilled and thread.revision == 1


async def test_joining_a_thread_late_leaves_its_past_to_be_filled_in(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(60, user_id="U0BOB"))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None and not thread.backfilled and thread.starter_id == "U0BOB"


async def test_a_second_question_changes_the_revision_and_not_who_began(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0, user_id="U0ANN"))
    await mirror.turns.accept(*asked(60, user_id="U0BOB"))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None and thread.starter_id == "U0ANN" and thread.revision == 2


async def test_a_retry_is_a_turn_of_its_own_on_the_same_question(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    await finish(mirror.turns, await take(mirror.turns), ts(1))
    again, same = asked(retry=1)

    assert await mirror.turns.accept(again, same) == "new"
    assert await mirror.turns.accept(again, same) == "known"

    assert await mirror.turns.open_turns(KEY) == [again]
    assert [message.ts for message in await mirror.threads.messages(KEY)] == [question.ts, ts(1)]


async def test_a_turn_may_be_accepted_closed(mirror: Mirror) -> None:
    turn, question = asked()

    await mirror.turns.accept(replace(turn, state="stopped"), question)

    assert await mirror.turns.take(KEY, "a", LEASE_S) is None


# Taking


async def test_taking_begins_the_oldest_open_turn(mirror: Mirror) -> None:
    turns = {seconds: asked(seconds) for seconds in (20, 10, 30)}
    for turn, question in turns.values():
        await mirror.turns.accept(turn, question)

    taken = await take(mirror.turns)

    assert taken.turn == replace(turns[10][0], state="running", attempts=1, fence=1)
    assert taken.lease.fence == 1 and taken.lease.owner == "a"
    assert taken.thread.key == KEY and taken.thread.revision == 3
    assert await mirror.turns.turn(taken.turn.id) == taken.turn


async def test_nothing_open_is_nothing_to_take(mirror: Mirror) -> None:
    assert await mirror.turns.take(KEY, "a", LEASE_S) is None
    assert await mirror.turns.holder(KEY) is None


async def test_a_live_lease_is_busy_even_for_its_owner(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await mirror.turns.accept(*asked(1))
    await take(mirror.turns, owner="a")

    for owner in ("b", "a"):
        busy = await mirror.turns.take(KEY, owner, LEASE_S)
        assert isinstance(busy, Busy) and busy.owner == "a" and 0 < busy.for_s <= LEASE_S
    assert await mirror.turns.holder(KEY) == "a"


async def test_of_fifty_claimants_one_wins_and_none_waits_for_the_others(replicas: Replicas) -> None:
    processes = [await replicas.open() for _ in range(5)]
    await processes[0].turns.accept(*asked())

    outcomes = await asyncio.gather(
        *(process.turns.take(KEY, f"{i}-{j}", LEASE_S) for i, process in enumerate(processes) for j in range(10))
    )  # each within the deadline of a call, where contended transactions would take minutes

    winners = [outcome for outcome in outcomes if isinstance(outcome, Taken)]
    assert len(winners) == 1
    assert winners[0].turn.attempts == 1
    assert all(isinstance(outcome, Busy) for outcome in outcomes if outcome is not winners[0])


async def test_a_dead_owners_turn_is_taken_over_under_a_new_fence(replicas: Replicas) -> None:
    dead, taker = await replicas.open(), await replicas.open()
    await dead.turns.accept(*asked())
    first = await take(dead.turns, owner="dead", lease_s=SHORT_S)
    assert isinstance(await taker.turns.take(KEY, "taker", SHORT_S), Busy)

    await asyncio.sleep(SHORT_S * 1.2)
    second = await take(taker.turns, owner="taker", lease_s=SHORT_S)

    assert second.turn == replace(first.turn, attempts=2, fence=2)
    assert second.lease.fence == 2 and second.lease.nonce != first.lease.nonce
    assert await dead.turns.holder(KEY) == "taker"


@pytest.mark.parametrize("state", ["opening", "delivering"])
async def test_a_taker_learns_that_something_may_have_been_shown(mirror: Mirror, state: TurnState) -> None:
    await mirror.turns.accept(*asked())
    first = await take(mirror.turns)
    shown = replace(first.turn, state=state, parts=(Part(ts(1), "edit", 5.0),), model_id="gemma", ending="answered")
    await mirror.turns.save(first.lease, shown)

    await asyncio.sleep(SHORT_S)
    second = await take(mirror.turns, owner="b", lease_s=SHORT_S)

    assert second.turn == replace(shown, attempts=2, fence=2)


async def test_heartbeats_keep_a_lease_alive(replicas: Replicas) -> None:
    owner, other = await replicas.open(), await replicas.open()
    await owner.turns.accept(*asked())
    lease = (await take(owner.turns, lease_s=SHORT_S)).lease

    for _ in range(4):
        await asyncio.sleep(SHORT_S / 2)
        lease = await owner.turns.renew(lease)
        assert isinstance(await other.turns.take(KEY, "b", SHORT_S), Busy)


async def test_accepts_and_edits_do_not_keep_a_dead_owners_lease_alive(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await take(mirror.turns, lease_s=SHORT_S)

    for seconds in range(1, 5):
        await asyncio.sleep(SHORT_S / 3)
        await mirror.turns.accept(*asked(seconds))
        await mirror.threads.edit(KEY, ts(0), f"edit {seconds}", ts(seconds))
        await mirror.threads.set_thread_model(KEY, "gemini")

    assert (await take(mirror.turns, owner="b", lease_s=SHORT_S)).turn.attempts == 2


async def test_accepts_and_edits_do_not_fence_a_live_owner(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    taken = await take(mirror.turns)

    await mirror.turns.accept(*asked(1))
    await mirror.threads.edit(KEY, ts(0), "edited", ts(2))
    await mirror.threads.set_thread_model(KEY, "gemini")

    await finish(mirror.turns, taken, ts(3))
    assert (await take(mirror.turns)).turn.question_ts == ts(1)


async def test_no_turn_begins_while_an_older_accepted_one_is_open(replicas: Replicas) -> None:
    """Questions arrive in any order while workers take what there is: none is begun before an older accepted one."""
    processes = [await replicas.open() for _ in range(3)]
    accepted: set[str] = set()
    begun: list[tuple[str, set[str]]] = []

    async def accept(seconds: int) -> None:
        await processes[seconds % 3].turns.accept(*asked(seconds))
        accepted.add(ts(seconds))

    async def work(owner: int) -> None:
        while len(begun) < 12:
            before = set(accepted)
            taken = await processes[owner].turns.take(KEY, str(owner), LEASE_S)
            if isinstance(taken, Taken):
                begun.append((taken.turn.question_ts, before - {question for question, _ in begun}))
                await finish(processes[owner].turns, taken, taken.turn.question_ts + "a")
            await asyncio.sleep(0)

    arrivals = [7, 3, 11, 1, 9, 5, 10, 2, 8, 6, 12, 4]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for owner in range(3):
            group.create_task(work(owner))
        for seconds in arrivals:
            group.create_task(accept(seconds))
            await asyncio.sleep(0.01)

    assert sorted(question for question, _ in begun) == sorted(map(ts, arrivals))
    for question, waiting in begun:
        assert question == min(waiting | {question})


# Writing under a lease


async def test_a_save_stores_the_turn_its_answer_the_cut_and_the_names_together(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    parts = (Part(ts(1), "edit", 1.5), Part(ts(2), "edit", 2.5))
    delivering = replace(taken.turn, state="delivering", parts=parts, model_id="gemma", ending="answered")
    answer = answered(delivering, ts(1))

    await mirror.turns.save(
        taken.lease, delivering, answer=answer, cut=("gemini-3.8-flash", ts(0)), names={question.ts: "Ann"}
    )

    assert await mirror.turns.turn(turn.id) == delivering
    assert await mirror.threads.messages(KEY) == [replace(question, name="Ann"), answer]
    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.cuts == {"gemini-3.8-flash": ts(0)}
    assert thread.revision == taken.thread.revision + 1


async def test_a_save_without_messages_leaves_the_revision(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)

    lease = await mirror.turns.save(taken.lease, replace(taken.turn, state="opening"))
    lease = await mirror.turns.renew(lease)
    await mirror.turns.save(lease, replace(taken.turn, state="opening", model_id="gemma"))

    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.revision == taken.thread.revision


async def test_cuts_of_several_models_stand_side_by_side(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)

    lease = await mirror.turns.save(taken.lease, taken.turn, cut=("gemma", ts(1)))
    lease = await mirror.turns.save(lease, taken.turn, cut=("gemini-3.8", ts(2)))
    await mirror.turns.save(lease, taken.turn, cut=("gemma", ts(3)))

    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.cuts == {"gemma": ts(3), "gemini-3.8": ts(2)}


async def test_a_late_writer_is_refused_and_writes_nothing(replicas: Replicas) -> None:
    late, taker = await replicas.open(), await replicas.open()
    turn, question = asked()
    await late.turns.accept(turn, question)
    first = await take(late.turns, owner="late", lease_s=0.05)
    await asyncio.sleep(0.1)
    second = await take(taker.turns, owner="taker", lease_s=0.05)
    ending = replace(first.turn, state="answered")

    with pytest.raises(LeaseLost):
        await late.turns.save(
            first.lease, ending, answer=answered(turn, ts(1)), cut=("gemma", ts(0)), names={question.ts: "Ann"}
        )
    with pytest.raises(LeaseLost):
        await late.turns.renew(first.lease)
    await late.turns.release(first.lease, ending)  # a lost lease is no error here, and nothing is put back

    assert await taker.turns.turn(turn.id) == second.turn
    assert await taker.threads.messages(KEY) == [question]
    thread = await taker.threads.thread(KEY)
    assert thread is not None and thread.cuts == {} and thread.revision == 1
    assert await taker.turns.holder(KEY) == "taker"
    await taker.turns.renew(second.lease)


async def test_a_forged_lease_is_refused(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)

    with pytest.raises(LeaseLost):
        await mirror.turns.renew(replace(taken.lease, nonce="guessed", version=None))
    with pytest.raises(LeaseLost):
        await mirror.turns.renew(Lease(KEY, "a", taken.lease.nonce, taken.lease.fence + 1))


async def test_a_hand_over_gives_the_lease_up_and_the_attempt_back(replicas: Replicas) -> None:
    leaving, staying = await replicas.open(), await replicas.open()
    await leaving.turns.accept(*asked())
    taken = await take(leaving.turns, owner="leaving")

    await leaving.turns.release(taken.lease, replace(taken.turn, attempts=0))

    assert await staying.turns.holder(KEY) is None
    second = await take(staying.turns, owner="staying")
    assert second.turn.attempts == 1 and second.lease.fence == 2
    with pytest.raises(LeaseLost):
        await leaving.turns.renew(taken.lease)


async def test_a_finished_turn_makes_way_for_the_next(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await mirror.turns.accept(*asked(10))

    await finish(mirror.turns, await take(mirror.turns), ts(11))
    second = await take(mirror.turns)

    assert second.turn.question_ts == ts(10) and second.lease.fence == 2


async def test_an_answer_saved_again_replaces_the_first(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    delivering = replace(taken.turn, state="delivering", parts=(Part(ts(1), "edit"), Part(ts(2), "edit")))

    lease = await mirror.turns.save(taken.lease, delivering, answer=answered(turn, ts(1), "Half"))
    await mirror.turns.save(lease, delivering, answer=answered(turn, ts(1), "Whole"), release=True)

    assert await mirror.threads.messages(KEY) == [question, answered(turn, ts(1), "Whole")]


async def test_an_answer_none_of_which_was_shown_sorts_after_its_question(mirror: Mirror) -> None:
    first, question = asked(0)
    await mirror.turns.accept(first, question)
    await mirror.threads.record(said(1))
    await finish(mirror.turns, await take(mirror.turns), question.ts + "a", "")

    messages = await mirror.threads.messages(KEY)

    assert [message.ts for message in messages] == [question.ts, question.ts + "a", ts(1)]


# Withdrawing


async def test_a_waiting_turn_is_withdrawn_with_its_closing_word(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    closing = answered(turn, question.ts + "a", "")

    assert await mirror.turns.withdraw(turn.id, "stopped", closing)
    assert not await mirror.turns.withdraw(turn.id, "stopped", closing)

    assert await mirror.turns.turn(turn.id) == replace(turn, state="stopped")
    assert await mirror.threads.messages(KEY) == [question, closing]
    assert await mirror.turns.take(KEY, "a", LEASE_S) is None


async def test_a_turn_that_has_begun_is_not_withdrawn(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)

    assert not await mirror.turns.withdraw(turn.id, "stopped", answered(turn, question.ts + "a", ""))
    assert not await mirror.turns.withdraw("C0NOWHERE:1", "stopped", answered(turn, question.ts + "a", ""))

    assert await mirror.turns.turn(turn.id) == taken.turn
    assert await mirror.threads.messages(KEY) == [question]


async def test_withdrawing_and_taking_never_both_succeed(replicas: Replicas) -> None:
    one, other = await replicas.open(), await replicas.open()
    for seconds in range(10):
        key = ThreadKey("C0GENERAL", ts(seconds))
        turn, question = asked(seconds, key=key)
        await one.turns.accept(turn, question)

        withdrawn, taken = await asyncio.gather(
            one.turns.withdraw(turn.id, "stopped", answered(turn, question.ts + "a", "")),
            other.turns.take(key, "a", LEASE_S),
        )

        assert withdrawn == (taken is None)


# Looking


async def test_open_turns_come_oldest_first_and_closed_ones_not_at_all(mirror: Mirror) -> None:
    for seconds in (30, 10, 20):
        await mirror.turns.accept(*asked(seconds))
    await finish(mirror.turns, await take(mirror.turns), ts(40))
    await mirror.turns.accept(*asked(5, key=ThreadKey("C0OTHER", ts(5))))

    assert [turn.question_ts for turn in await mirror.turns.open_turns(KEY)] == [ts(20), ts(30)]


async def test_a_channels_open_threads_are_its_own(mirror: Mirror) -> None:
    ours = [ThreadKey("D0ANN", ts(seconds)) for seconds in (1, 2)]
    for key in (*ours, ThreadKey("D0ANNA", ts(3)), ThreadKey("D0AN", ts(4))):
        await mirror.turns.accept(*asked(int(key.thread_ts[9:10]), key=key))
    await mirror.turns.accept(*asked(9, key=ours[0]))
    done = ThreadKey("D0ANN", ts(5))
    await mirror.turns.accept(*asked(5, key=done))
    await finish(mirror.turns, await take(mirror.turns, key=done), ts(6))

    assert sorted(await mirror.turns.open_threads("D0ANN")) == ours


async def test_the_sweeper_finds_what_nobody_works_on(replicas: Replicas) -> None:
    mirror, sweeper = await replicas.open(), await replicas.open()
    forgotten, dead, live, done = (ThreadKey("C0GENERAL", ts(seconds)) for seconds in (1, 2, 3, 4))
    for seconds, key in enumerate((forgotten, dead, live, done), start=1):
        await mirror.turns.accept(*asked(seconds, key=key))
    await take(mirror.turns, key=dead)
    lease = (await take(mirror.turns, key=live)).lease
    await finish(mirror.turns, await take(mirror.turns, key=done), ts(9))

    assert await sweeper.turns.overdue(SHORT_S * 5, 100) == []
    await asyncio.sleep(SHORT_S)
    await mirror.turns.renew(lease)

    assert await sweeper.turns.overdue(SHORT_S, 100) == [forgotten, dead]
    assert await sweeper.turns.overdue(SHORT_S, 1) == [forgotten]


async def test_an_unknown_turn_is_none(mirror: Mirror) -> None:
    assert await mirror.turns.turn("C0NOWHERE:1700000000.000100") is None


# Signals


async def test_words_for_a_process_are_handed_out_once_and_in_order(replicas: Replicas) -> None:
    sender, owner = await replicas.open(), await replicas.open()
    words = [
        Signal("stop", KEY, ts(1), "U0ANN"),
        Signal("delete", KEY, ts(2)),
        Signal("delete", KEY, ts(3)),
    ]
    for word in words:
        await sender.turns.signal("owner", word)
    await sender.turns.signal("another", words[0])

    assert await owner.turns.signals("owner") == words
    assert await owner.turns.signals("owner") == []
    assert await owner.turns.signals("another") == words[:1]


async def test_no_word_is_lost_when_many_are_left_at_once(replicas: Replicas) -> None:
    senders, owner = [await replicas.open() for _ in range(3)], await replicas.open()
    heard: list[Signal] = []

    async def send(number: int) -> None:
        await senders[number % 3].turns.signal("owner", Signal("stop", KEY, ts(number)))

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(send(number))
            heard += await owner.turns.signals("owner")
    heard += await owner.turns.signals("owner")

    assert sorted(word.ts for word in heard) == [ts(number) for number in range(12)]


async def test_a_process_that_never_listens_gets_the_newest_hundred_words(mirror: Mirror) -> None:
    for number in range(103):
        await mirror.turns.signal("deaf", Signal("delete", KEY, ts(number)))

    assert [word.ts for word in await mirror.turns.signals("deaf")] == [ts(number) for number in range(3, 103)]


async def test_words_said_by_the_model_survive_every_character(mirror: Mirror) -> None:
    turn, question = asked(text='"quotes" \\ \n\t<&> 😀 \u2028 {"json": 1}')
    await mirror.turns.accept(turn, question)
    answer: Message = answered(turn, ts(1), "```py\nprint('ü')\n```\n" * 2_000)
    taken = await take(mirror.turns)
    await mirror.turns.save(taken.lease, replace(taken.turn, state="answered"), answer=answer, release=True)

    assert await mirror.threads.messages(KEY) == [question, answer]
