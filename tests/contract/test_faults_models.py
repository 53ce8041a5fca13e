"""What a model's server can do wrong, each over the wire: what people read of the real bot, how often it is asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bot.slack.blocks import ASK_AGAIN
from tests.doubles.answering import actions_of
from tests.doubles.gemma_server import GemmaServer, event, refuses, says, stream, text_event
from tests.doubles.lone_bot import LoneBot, lone_bot
from tests.doubles.wire import Answer
from tests.doubles.workspace import JSON
from tests.e2e.conftest import everything, free_port, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, DM = "U0ADA", "D0ADA"
FIRST_TOKEN_S = 1.0
ENTRY = """
[[model]]
id = "{id}"
label = "Model {id}"
provider = "gemma"
where = "self-hosted"
context_tokens = 4096
answer_tokens = 512
url = "{url}"
dialect = "completions"
stand_in = "{stand_in}"
first_token_s = {first_token_s}
stall_s = 0.6
total_s = 3.0
"""

HALF = tuple(map(text_event, ("Half ", "of ", "an ", "answer ")))
WHOLE = ("A ", "whole ", "answer.")
TOO_LONG = {"message": "This model's maximum context length is 2048 tokens.", "code": 400, "param": "input_tokens"}
FAULTS: Mapping[str, Answer] = {
    "silent": stream(ending="hang"),
    "stalling": stream(*HALF, ending="hang"),
    "cut": stream(*HALF, ending="cut"),
    "endless": stream(*HALF * 200, pause_s=0.05),
    "garbled": stream(*HALF, b'data: {"choices": [\n\n'),
    "without-end": stream(*HALF),
    "broken-inside": stream(*HALF, event({"error": {"message": "EngineDeadError", "code": 500}})),
    "busy": refuses(429, {"error": "busy"}),
    "busy-for-long": refuses(429, {"error": "busy"}, Retry_After="60"),
    "failing": refuses(500, {"error": "down"}),
    "overloaded": refuses(503, {"error": "down"}),
    "unauthorized": refuses(401, {"error": "no"}),
    "forbidden": refuses(403, {"error": "no"}),
    "missing": refuses(404, {"error": "no"}),
    "empty": says([]),
    "cut-by-length": stream(*HALF, text_event("", "length"), b"data: [DONE]\n\n"),
}


@dataclass(frozen=True, slots=True)
class Ward:
    """One bot, and a server for each fault; an entry of the catalogue for each server."""

    bot: LoneBot
    servers: Mapping[str, GemmaServer]

    async def ask(self, model: str, *before: str) -> tuple[str, list[JSON]]:
        """Choose this model in a new thread and ask it: the thread, and what comes of the last question."""
        root = await self.bot.workspace.say(ADA, DM, f"model {model}")
        await self.bot.answers(DM, root)
        ts = root
        for question in (*before, "Why?"):
            ts = await self.bot.workspace.say(ADA, DM, question, root)
            answers = await self.bot.answers(DM, root, ts)
        assert len(answers) == 1, answers
        assert (await self.bot.inspect(DM, root))["open_turns"] == []
        return root, answers

    def asked(self, model: str) -> int:
        """How many questions came to this model's server."""
        return len(self.servers[model].requests)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ward(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ward]:
    path = tmp_path_factory.mktemp("models")
    async with AsyncExitStack() as stack:
        servers: dict[str, GemmaServer] = {}
        for name, answer in {**FAULTS, "well": says(WHOLE), "narrow": says(WHOLE)}.items():
            servers[name] = server = GemmaServer()
            server.standing = answer
            await stack.enter_async_context(server.serving(server.application()))
        urls = {name: server.url for name, server in servers.items()}
        urls |= {name: f"http://127.0.0.1:{free_port()}" for name in ("away", "away-too", "replaced")}
        stand_ins = {"away": "away-too", "replaced": "well"}
        entries = (
            ENTRY.format(id=name, url=url, stand_in=stand_ins.get(name, ""), first_token_s=FIRST_TOKEN_S)
            for name, url in urls.items()
        )
        (path / "models.toml").write_text("".join(entries), "utf-8")
        settings = {"TANDEM_MODELS": str(path / "models.toml"), "TANDEM_DEFAULT_MODEL": "well"}
        yield Ward(await stack.enter_async_context(lone_bot(path, "", **settings)), servers)


def offers_another_try(message: JSON) -> bool:
    """Whether there is a button that asks again."""
    return any(each["action_id"] == ASK_AGAIN for each in actions_of(message))


@pytest.mark.parametrize(
    ("model", "says_so", "most"),
    [
        ("silent", "could not be reached", 2),
        ("failing", "could not be reached", 3),
        ("overloaded", "has more questions than it can answer", 3),
        ("busy", "has more questions than it can answer", 3),
        ("busy-for-long", "has more questions than it can answer", 1),
        ("unauthorized", "is not set up correctly", 1),
        ("forbidden", "is not set up correctly", 1),
        ("missing", "is not set up correctly", 1),
        ("empty", "gave no answer", 2),
    ],
)
async def test_a_model_that_gives_nothing_is_apologised_for_once_with_a_way_to_try_again(
    ward: Ward, model: str, says_so: str, most: int
) -> None:
    started = time.monotonic()
    _, [answer] = await ward.ask(model)

    assert says_so in shown([answer]) and "reference" in shown([answer]) and offers_another_try(answer)
    assert 1 <= ward.asked(model) <= most
    assert time.monotonic() - started < 2 * FIRST_TOKEN_S + 5


@pytest.mark.parametrize("model", ["stalling", "cut", "endless", "garbled", "without-end", "broken-inside"])
async def test_half_an_answer_stays_is_marked_and_offers_another_try(ward: Ward, model: str) -> None:
    _, [answer] = await ward.ask(model)

    assert shown([answer]).startswith("Half of an answer")
    assert "Cut off" in everything([answer]) and offers_another_try(answer)
    assert ward.asked(model) == 1


@pytest.mark.parametrize("model", ["silent", "stalling", "endless"])
async def test_a_request_that_is_given_up_is_closed(ward: Ward, model: str) -> None:
    await ward.ask(model)

    assert ward.servers[model].hung_up.is_set()


async def test_an_answer_that_fills_its_length_says_so(ward: Ward) -> None:
    _, [answer] = await ward.ask("cut-by-length")

    assert shown([answer]).startswith("Half of an answer") and "reached its length limit" in everything([answer])


async def test_a_prompt_that_the_server_finds_too_long_is_shortened_once_and_people_are_told(ward: Ward) -> None:
    server = ward.servers["narrow"]
    server.script(*(says(WHOLE) for _ in range(4)), refuses(400, {"error": TOO_LONG}))
    _, [answer] = await ward.ask("narrow", *("word " * 300 for _ in range(4)))

    assert shown([answer]) == "".join(WHOLE) and "oldest messages of this thread were left out" in everything([answer])
    assert len(server.requests) == 6


async def test_a_stand_in_answers_in_a_models_place_and_says_so(ward: Ward) -> None:
    _, [answer] = await ward.ask("replaced")

    assert shown([answer]) == "".join(WHOLE) and "Model replaced could not answer" in everything([answer])


async def test_where_the_stand_in_is_away_too_one_sentence_says_so_and_nothing_spins(ward: Ward) -> None:
    root, [answer] = await ward.ask("away")
    calls = await ward.bot.workspace.calls()
    await asyncio.sleep(1.0)

    assert "could not be reached" in shown([answer]) and offers_another_try(answer)
    assert await ward.bot.workspace.calls(since=calls[-1]["n"]) == []
    assert len(await ward.bot.workspace.messages(DM, root)) == 4  # the choice, its answer, the question, its answer


async def test_asking_again_brings_the_answer_when_the_model_is_well(ward: Ward) -> None:
    ward.servers["narrow"].script(refuses(401, {"error": "not yet"}))
    root, [failed] = await ward.ask("narrow")
    button = next(each for each in actions_of(failed) if each["action_id"] == ASK_AGAIN)
    await ward.bot.workspace.click(ADA, DM, failed["ts"], ASK_AGAIN, value=button["value"])
    [answer] = await ward.bot.answers(DM, root, failed["ts"])

    assert shown([answer]) == "".join(WHOLE)
