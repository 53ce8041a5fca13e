"""The main job, end to end: what people say in Slack, what they read there, and what the mirror keeps of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.gemini_server import part, says, stream
from tests.doubles.llama import Llama
from tests.doubles.wire import Answer
from tests.e2e.conftest import GEMMA_SAYS, Team, everything, shown, team, until

GENERAL, DM = "C0GENERAL", "D0ADA"
MODES = [
    pytest.param(("socket", "sqlite"), id="socket-sqlite"),
    pytest.param(("http", "sqlite"), id="http-sqlite"),
    pytest.param(("socket", "firestore"), id="socket-firestore"),
]


@pytest.fixture(params=MODES)
async def slack(request: pytest.FixtureRequest, tmp_path: Path, llama: Llama) -> AsyncIterator[Team]:
    transport, store = request.param
    emulator: FirestoreEmulator | None = request.getfixturevalue("emulator") if store == "firestore" else None
    async with team(tmp_path, llama, emulator, transport) as deployed:
        yield deployed


def asked(slack: Team, n: int = -1) -> str:
    """All texts of a prompt that Gemini was sent."""
    body = slack.gemini.requests[n].body
    return json.dumps(body, ensure_ascii=False)


async def test_a_mention_is_answered_in_its_thread_and_a_follow_up_without_one_too(slack: Team) -> None:
    root, first = await slack.ask("U0ADA", GENERAL, "@Tandem hello")
    _, second = await slack.ask("U0BEN", GENERAL, "and again?", root)

    assert first == second == GEMMA_SAYS
    mirrored = [(m.role, m.name, m.text) for m in await slack.mirrored(GENERAL, root)]
    assert mirrored == [
        ("user", "Ada", "hello"),
        ("model", "", GEMMA_SAYS),
        ("user", "Ben", "and again?"),
        ("model", "", GEMMA_SAYS),
    ]


async def test_every_message_of_a_direct_conversation_is_answered_in_a_thread_of_its_own(slack: Team) -> None:
    first, answer = await slack.ask("U0ADA", DM, "hello")
    second, other = await slack.ask("U0ADA", DM, "something else")

    assert answer == other == GEMMA_SAYS and first != second
    assert [m.text for m in await slack.mirrored(DM, second)] == ["something else", GEMMA_SAYS]


async def test_the_second_model_sees_what_the_first_one_said(slack: Team) -> None:
    slack.gemini.script(says("I am the other one."))
    root, _ = await slack.ask("U0ADA", GENERAL, "@Tandem hello")
    _, told = await slack.ask("U0ADA", GENERAL, "@Tandem model gemini", root)
    _, answer = await slack.ask("U0BEN", GENERAL, "who are you?", root)

    assert "Gemini" in told and answer == "I am the other one."
    assert GEMMA_SAYS in asked(slack) and "Ben: who are you?" in asked(slack)
    contents = slack.gemini.requests[-1].body["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert "Gemini" in everything(await slack.workspace.messages(GENERAL, root))


async def test_what_was_edited_or_deleted_is_gone_from_the_next_prompt(slack: Team) -> None:
    slack.gemini.script(says("One."), says("Two."))
    await slack.choose("U0ADA", DM, "gemini")
    root, _ = await slack.ask("U0ADA", GENERAL, "@Tandem the password is tulip")
    aside = await slack.workspace.say("U0BEN", GENERAL, "@Ada he should not have said that", root)
    await slack.workspace.edit("U0ADA", GENERAL, root, "@Tandem the password is a secret")
    await slack.workspace.delete("U0BEN", GENERAL, aside)
    async with asyncio.timeout(10):
        while any("tulip" in m.text or "should not" in m.text for m in await slack.mirrored(GENERAL, root)):
            await asyncio.sleep(0.05)
    await slack.ask("U0ADA", GENERAL, "which password?", root)

    assert "the password is a secret" in asked(slack)
    assert "tulip" not in asked(slack) and "should not have said" not in asked(slack)


async def test_stop_ends_the_models_request_and_keeps_what_was_shown(slack: Team) -> None:
    slow = stream(*(part(f"word{n} ") for n in range(400)), pause_s=0.05)
    slack.gemini.script(slow)
    await slack.choose("U0ADA", DM, "gemini")
    ts = await slack.workspace.say("U0ADA", GENERAL, "@Tandem tell me a long story")
    await until(lambda: slack.gemini.requests)
    await asyncio.sleep(1.0)
    await slack.workspace.say("U0BEN", GENERAL, "stop", ts)
    async with asyncio.timeout(2.0):
        await slack.gemini.hung_up.wait()
    messages = await slack.workspace.reply(GENERAL, ts, ts)

    assert shown(messages).startswith("word0 word1 ") and "word399" not in shown(messages)
    assert "topped" in everything(messages)
    mirrored = await slack.mirrored(GENERAL, ts)
    assert [m.role for m in mirrored] == ["user", "model", "user"] and mirrored[2].text == "stop"
    assert mirrored[1].text.startswith("word0 word1 ")


async def test_slacks_own_stop_button_does_the_same_in_a_direct_message(slack: Team) -> None:
    slack.gemini.script(stream(*(part(f"word{n} ") for n in range(400)), pause_s=0.05))
    await slack.choose("U0ADA", DM, "gemini")
    ts = await slack.workspace.say("U0ADA", DM, "tell me a long story")
    await until(lambda: slack.gemini.requests)
    await asyncio.sleep(1.5)
    await slack.workspace.stop("U0ADA", DM, ts)
    async with asyncio.timeout(2.0):
        await slack.gemini.hung_up.wait()
    messages = await slack.workspace.reply(DM, ts, ts)

    assert shown(messages).startswith("word0 ") and "word399" not in shown(messages)
    assert (await slack.workspace.status(DM, ts))["status"] != "processing"


async def test_an_answer_of_30000_characters_arrives_whole_in_several_messages(slack: Team) -> None:
    paragraphs = [f"Paragraph {n}. " + "All of this must arrive. " * 12 for n in range(97)]
    text = "\n\n".join(paragraphs)[:30_000].rstrip()
    slack.gemini.script(_in_pieces(text))
    await slack.choose("U0ADA", DM, "gemini")
    ts = await slack.workspace.say("U0ADA", GENERAL, "@Tandem write a lot")
    messages = await slack.workspace.reply(GENERAL, ts, ts, timeout_s=90, settle_s=4)

    assert len(messages) >= 3 and all(len(shown([message])) <= 12_000 for message in messages)
    assert _words("".join(shown([message]) + "\n" for message in messages)) == _words(text)
    assert [m.text for m in await slack.mirrored(GENERAL, ts)] == ["write a lot", text]


async def test_five_quick_questions_in_one_thread_are_answered_in_their_order(slack: Team) -> None:
    slack.gemini.script(*(says(f"Answer {n}.") for n in range(1, 7)))
    await slack.choose("U0ADA", DM, "gemini")
    root, _ = await slack.ask("U0ADA", GENERAL, "@Tandem question 1")
    for n in range(2, 7):
        await slack.workspace.say("U0BEN", GENERAL, f"question {n}", root)
    async with asyncio.timeout(60):
        while len(await slack.mirrored(GENERAL, root)) < 12:
            await asyncio.sleep(0.2)
    messages = await slack.workspace.reply(GENERAL, root, root, settle_s=1)

    assert [shown([message]) for message in messages] == [f"Answer {n}." for n in range(1, 7)]
    last = [content["parts"][0]["text"] for content in slack.gemini.requests[-1].body["contents"]]
    assert last[0] == "Ada: question 1" and last[1] == "Answer 1." and last[-1] == "Ben: question 6"


def _in_pieces(text: str) -> Answer:
    pieces = [text[n : n + 200] for n in range(0, len(text), 200)]
    return stream(*(part(piece) for piece in pieces[:-1]), part(pieces[-1], "STOP"))


def _words(text: str) -> list[str]:
    return text.split()
