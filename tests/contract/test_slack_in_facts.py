"""People, channels and a thread's past, as the playground's Slack knows them: asked seldom, kept apart from choices."""

import asyncio

import pytest

from bot.conversation.thread import Channel, Person, Thread, ThreadKey
from bot.errors import SlackRejected
from tests.doubles.slack_side import SlackSide
from tests.doubles.workspace import Workspace

ADA, BEN, GIA, GENERAL, SECRET = "U0ADA", "U0BEN", "U0GIA", "C0GENERAL", "C0PRIVATE"
TEAM = "T0TANDEM"


async def test_what_the_directory_learned_is_asked_once_a_day(workspace: Workspace, side: SlackSide) -> None:
    people = await asyncio.gather(*(side.directory.person(TEAM, ADA) for _ in range(5)))
    await side.directory.person(TEAM, ADA)
    await side.directory.channel(TEAM, GENERAL)
    await side.directory.channel(TEAM, GENERAL)

    assert {person.name for person in people} == {"Ada"}
    assert (await side.directory.person(TEAM, GIA)).is_guest
    assert side.directory.name_of(ADA) == "Ada"
    assert [call["args"]["user"] for call in await workspace.calls("users.info")] == [ADA, GIA]
    assert len(await workspace.calls("conversations.info")) == 1


async def test_yesterdays_facts_are_better_than_none(workspace: Workspace, side: SlackSide) -> None:
    await side.mirror.threads.save_person(Person(TEAM, ADA, "Ada as she was", model_id="gemini", fetched_at=1.0))
    await side.mirror.threads.save_channel(Channel(TEAM, GENERAL, "as-it-was", self_hosted_only=True, fetched_at=1.0))
    await workspace.trouble(fail=[{"method": "users.info", "kind": "status", "status": 503, "times": 2}])

    assert (await side.directory.person(TEAM, ADA)).name == "Ada as she was"
    person, channel = await side.directory.person(TEAM, ADA), await side.directory.channel(TEAM, GENERAL)

    assert (person.name, person.model_id) == ("Ada", "gemini")
    assert (channel.name, channel.self_hosted_only) == ("general", True)
    with pytest.raises(SlackRejected):
        await side.directory.person(TEAM, "U0NOBODY")


async def test_membership_is_asked_anew(workspace: Workspace, side: SlackSide) -> None:
    assert await side.directory.is_member(GENERAL, ADA)
    assert not await side.directory.is_member(SECRET, GIA)
    assert len(await workspace.calls("conversations.members")) == 2


async def test_a_threads_past_is_read_to_its_end(workspace: Workspace, side: SlackSide) -> None:
    root = await workspace.say(ADA, GENERAL, "the root, for <everybody>")
    for number in range(230):
        await workspace.say(BEN if number % 2 else ADA, GENERAL, f"message {number}", root)
    question = await workspace.say(ADA, GENERAL, "@Tandem and you?", root)
    client = side.connection.client
    mark = {"event_type": "tandem_turn", "event_payload": {"turn": f"{GENERAL}:{root}", "part": 0}}
    for text, metadata in (("an earlier answer", mark), ("its second part", mark), ("a notice", None)):
        await client.chat_postMessage(channel=GENERAL, thread_ts=root, text=text, metadata=metadata)
    late = await workspace.say(ADA, GENERAL, "@Tandem really?", root)
    thread = Thread(ThreadKey(GENERAL, root), TEAM, ADA, "channel")

    all_of_it = await side.archive.history(thread, before_ts=late, newest=1000)
    newest = await side.archive.history(thread, before_ts=late, newest=3)
    before = await side.archive.history(thread, before_ts=question, newest=1000)

    assert [m.text for m in all_of_it[:2]] == ["the root, for <everybody>", "message 0"]
    assert [(m.role, m.text) for m in newest] == [
        ("user", "message 229"),
        ("user", "and you?"),
        ("model", "an earlier answer\n\nits second part"),
    ]
    assert (newest[2].question_ts, newest[2].turn_id) == (root, f"{GENERAL}:{root}")
    assert len(all_of_it) == 233 and len(before) == 231


async def test_a_threads_present_is_read_from_a_moment_on_with_whoever_said_it(
    workspace: Workspace, side: SlackSide
) -> None:
    root = await workspace.say(ADA, GENERAL, "the root")
    early, *_, gone = [await workspace.say(BEN, GENERAL, f"message {number}", root) for number in range(3)]
    asked = await workspace.say(ADA, GENERAL, "@Tandem and yuo?", root)
    await workspace.edit(ADA, GENERAL, asked, "@Tandem and you?")
    await workspace.delete(BEN, GENERAL, gone)
    ours = await side.connection.client.chat_postMessage(channel=GENERAL, thread_ts=root, text="Fine!")
    thread = Thread(ThreadKey(GENERAL, root), TEAM, ADA, "channel")

    said = await side.archive.since(thread, asked)
    whole = await side.archive.since(thread, early)

    question, answer = said.values()
    assert list(said) == [asked, ours["ts"]]
    assert question is not None and question.mentions_us and question.client_msg_id
    assert (question.message.text, question.message.thread) == ("and you?", thread.key)
    assert question.message.edited_ts > asked
    assert answer is not None and answer.sender == "ourselves"
    assert len(whole) == 4 and gone not in whole


async def test_what_began_in_a_dm_is_read_without_the_threads_answers(workspace: Workspace, side: SlackSide) -> None:
    old, first, second = [await workspace.say(ADA, "D0ADA", f"question {number}") for number in range(3)]
    await workspace.say(ADA, "D0ADA", "a follow-up", first)
    thread = Thread(ThreadKey("D0ADA", second), TEAM, ADA, "dm")

    began = await side.archive.roots(thread, first)

    assert [said.message.text if said else "" for said in began.values()] == ["question 1", "question 2"]
    assert all(said and said.is_root and said.place == "dm" for said in began.values())
    assert old not in began
