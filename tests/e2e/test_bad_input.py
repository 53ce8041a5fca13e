"""What people and operators get wrong: the sentence that they read, and the line of the log that has the same id."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.slack.blocks import ASK_AGAIN, MODEL_MENU
from tests.doubles.gemini_server import NOT_ENABLED
from tests.doubles.gemma_server import gemma_server
from tests.doubles.llama import Llama
from tests.doubles.tandem import Tandem
from tests.doubles.tandem import serving as serving_tandem
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, ROOT, Workspace
from tests.e2e.conftest import GEMMA_SAYS, Team, everything, free_port, team

ADA, BEN, GUEST, GENERAL, DM = "U0ADA", "U0BEN", "U0GIA", "C0GENERAL", "D0ADA"
KNOWN = "`gemma` (Gemma 3 12B), `gemini` (Gemini 3.8 Flash), `gemini-lite` (Gemini 3.5 Flash-Lite)"

GEMMAS = """
[[model]]
id = "{id}"
label = "{label}"
provider = "gemma"
where = "self-hosted"
context_tokens = 4096
answer_tokens = 512
url = "{url}"
dialect = "{dialect}"
model = "{model}"
"""


@pytest.fixture
async def slack(tmp_path: Path, llama: Llama) -> AsyncIterator[Team]:
    async with team(tmp_path, llama, None, "socket") as deployed:
        yield deployed


async def seen(workspace: Workspace, words: str, *, user: str, channel: str, thread_ts: str = "") -> dict[str, Any]:
    """The newest message with these words that somebody sees, once they do; what is for them alone too."""
    messages: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(10):
            while True:
                messages = await workspace.messages(channel, thread_ts, user=user)
                if found := [message for message in messages if words in everything([message])]:
                    return found[-1]
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{words!r} is not in {everything(messages)}") from None


def logged(tandem: Tandem, text: str) -> Mapping[str, Any]:
    """The line of the log with the reference that people read in `text`."""
    found = re.search(r"\(reference ([0-9a-f]{8})\)", text)
    assert found, f"no reference in {text!r}"
    [line] = [line for line in tandem.log if line.get("reference") == found[1]]
    return line


def element(message: Mapping[str, Any], action_id: str) -> Mapping[str, Any]:
    """The button or menu of a message with this action_id."""
    rows = [block for block in message["blocks"] if block["type"] == "actions"]
    [found] = [each for row in rows for each in row["elements"] if each["action_id"] == action_id]
    return dict(found)


def without_jargon(text: str) -> bool:
    """Whether a text is free of what only programmers understand."""
    return not re.search(r"Traceback|Exception|Error\b|Model[A-Z]\w+|object at 0x|http://|None", text)


async def test_what_people_say_wrong_gets_a_sentence_that_helps(slack: Team) -> None:
    _, told = await slack.ask(ADA, GENERAL, "@Tandem")
    assert told.startswith("Hi! Ask me something") and "!model" in told

    _, told = await slack.ask(ADA, DM, "word " * 7_900)
    limit = re.search(r"more text than Gemma 3 12B can read at once: about ([\d,]+) characters fit", told)
    assert limit and 5_000 < int(limit[1].replace(",", "")) < 39_500
    assert logged(slack.tandem, told)["code"] == "prompt_too_long"
    fits = "word " * (int(limit[1].replace(",", "")) // 5)
    assert (await slack.ask(ADA, DM, fits))[1] == GEMMA_SAYS

    root, _ = await slack.ask(ADA, GENERAL, "@Tandem hello")
    for words in ("!model claude", "@Tandem model claude"):
        _, told = await slack.ask(ADA, GENERAL, words, root)
        assert told == f"I know no model called “claude”. There are: {KNOWN}."
    await slack.workspace.command(ADA, GENERAL, "/model", "claude for me")
    await seen(slack.workspace, f"I know no model called “claude”. There are: {KNOWN}.", user=ADA, channel=GENERAL)
    assert [line["outcome"] for line in slack.tandem.log if line["message"] == "model chosen"] == ["unknown_model"]


async def test_who_may_not_choose_and_what_has_vanished_is_said(slack: Team, tmp_path: Path) -> None:
    slack.gemini.refuses_all = NOT_ENABLED
    root, told = await slack.ask(ADA, GENERAL, "@Tandem hello")
    [answer] = await slack.workspace.reply(GENERAL, root, root)

    await slack.workspace.click(GUEST, GENERAL, answer["ts"], MODEL_MENU, option="gemini")
    await seen(slack.workspace, "Guests cannot change the model", user=GUEST, channel=GENERAL, thread_ts=root)
    assert told == GEMMA_SAYS and slack.tandem.log[-1]["outcome"] == "not_allowed_guest"

    await slack.workspace.click(ADA, GENERAL, answer["ts"], MODEL_MENU, option="gemini")
    await seen(slack.workspace, "answers in this thread from now on", user=ADA, channel=GENERAL, thread_ts=root)
    _, told = await slack.ask(ADA, GENERAL, "and now?", root)
    assert told.startswith("Gemini 3.8 Flash is not set up correctly, so it cannot answer.") and without_jargon(told)
    line = logged(slack.tandem, told)
    assert line["code"] == "model_misconfigured"
    assert "gcloud services enable aiplatform.googleapis.com --project a-project" in line["reason"]

    with closing(sqlite3.connect(tmp_path / "tandem.db")) as db, db:
        for table in ("threads", "turns", "messages"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    failed = await seen(slack.workspace, "not set up correctly", user=ADA, channel=GENERAL, thread_ts=root)
    for action, how in ((ASK_AGAIN, {"value": element(failed, ASK_AGAIN)["value"]}), (MODEL_MENU, {"option": "gemma"})):
        before = len(await slack.workspace.messages(GENERAL, root, user=ADA))
        await slack.workspace.click(ADA, GENERAL, failed["ts"], action, **how)
        said = await _further(slack.workspace, root, before)
        assert said["text"] == "I no longer know that conversation. Please ask your question again."


async def test_who_asks_again_what_was_asked_again_already_is_told_and_nobody_else(slack: Team) -> None:
    slack.gemini.refuses_all = NOT_ENABLED
    root, _ = await slack.ask(ADA, GENERAL, "@Tandem model gemini")
    await slack.ask(ADA, GENERAL, "hello", root)
    failed = await seen(slack.workspace, "not set up correctly", user=ADA, channel=GENERAL, thread_ts=root)
    value = element(failed, ASK_AGAIN)["value"]
    slack.gemini.refuses_all = None
    await slack.workspace.click(ADA, GENERAL, failed["ts"], ASK_AGAIN, value=value)
    await slack.workspace.reply(GENERAL, root, failed["ts"])
    said_to_all = await slack.workspace.messages(GENERAL, root)

    await slack.workspace.click(BEN, GENERAL, failed["ts"], ASK_AGAIN, value=value)

    told = await seen(slack.workspace, "asked again", user=BEN, channel=GENERAL, thread_ts=root)
    assert told["text"] == "That question has been asked again already."
    for_ada = await slack.workspace.messages(GENERAL, root, user=ADA)
    assert [message["ts"] for message in for_ada] == [message["ts"] for message in said_to_all]


async def _further(workspace: Workspace, root: str, count: int) -> dict[str, Any]:
    """The newest message of a thread, once there are more than `count`."""
    async with asyncio.timeout(10):
        while len(messages := await workspace.messages(GENERAL, root, user=ADA)) <= count:
            await asyncio.sleep(0.05)
    return messages[-1]


async def test_a_model_that_left_the_catalogue_is_named_and_another_one_answers(slack: Team, tmp_path: Path) -> None:
    root, told = await slack.ask(ADA, GENERAL, "@Tandem model gemini")
    assert told == "Gemini 3.8 Flash answers in this thread from now on."
    await slack.tandem.stop()
    without = {name: value for name, value in slack.environment.items() if name != "GOOGLE_CLOUD_PROJECT"}

    async with serving_tandem(without, tmp_path / "later.log"):
        _, told = await slack.ask(ADA, GENERAL, "who are you?", root)
        _, asked = await slack.ask(ADA, GENERAL, "!model", root)

    assert told == GEMMA_SAYS
    answers = everything(await slack.workspace.messages(GENERAL, root))
    assert "the chosen model “gemini” no longer exists" in answers
    assert asked == (
        "The model “gemini” no longer exists, so Gemma 3 12B answers. There are: `gemma` (Gemma 3 12B). "
        "`default` undoes a choice."
    )


async def test_a_gemma_that_cannot_answer_is_apologised_for_and_the_log_says_why(tmp_path: Path, llama: Llama) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(gemma_server())
        server.absent = {"/generate"}
        nowhere = f"http://127.0.0.1:{free_port()}"
        (tmp_path / "models.toml").write_text(
            GEMMAS.format(id="away", label="Gemma A", url=nowhere, dialect="completions", model="")
            + GEMMAS.format(id="dialect", label="Gemma B", url=server.url, dialect="generate", model="")
            + GEMMAS.format(id="other", label="Gemma C", url=server.url, dialect="chat", model="google/gemma-3-27b-it"),
        )
        settings = {"TANDEM_MODELS": str(tmp_path / "models.toml"), "GEMMA_URL": "", "GOOGLE_CLOUD_PROJECT": ""}
        slack = await stack.enter_async_context(team(tmp_path, llama, None, "socket", **settings))
        told = {name: await _asked_of(slack, name) for name in ("away", "dialect", "other")}
        log = {name: logged(slack.tandem, text) for name, text in told.items()}

    assert told["away"].startswith("Gemma A could not be reached. Please try again in a moment")
    assert f"{nowhere}/v1/models cannot be reached (connection refused); check GEMMA_URL" in log["away"]["reason"]
    assert told["dialect"].startswith("Gemma B is not set up correctly, so it cannot answer. Please tell whoever")
    assert "/generate does not exist there (HTTP 404); check GEMMA_URL and GEMMA_DIALECT" in log["dialect"]["reason"]
    assert told["other"].startswith("Gemma C is not set up correctly, so it cannot answer. Please tell whoever")
    assert "serves 'gemma', not 'google/gemma-3-27b-it'; check GEMMA_MODEL" in log["other"]["reason"]
    assert all(map(without_jargon, told.values()))


async def _asked_of(slack: Team, model_id: str) -> str:
    """What people read when this model is asked."""
    root, _ = await slack.ask(ADA, DM, f"model {model_id}")
    return (await slack.ask(ADA, DM, "hello", root))[1]


async def test_a_missing_scope_is_named_at_start_and_when_it_is_missed(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yaml").read_text("utf-8"))
    manifest["oauth_config"]["scopes"]["bot"].remove("users:read")
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    async with Workspace(manifest=tmp_path / "manifest.yaml") as workspace:
        environment = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_URL": workspace.api_url,
            "TANDEM_DEFAULT_MODEL": "demo",
            "TANDEM_STORE": f"sqlite:///{tmp_path / 'tandem.db'}",
            "PORT": str(free_port()),
        }
        async with serving_tandem(environment, tmp_path / "tandem.log") as tandem:
            await workspace.connected()
            [at_start] = [line for line in tandem.log if line.get("scope")]
            root = await workspace.say(ADA, GENERAL, "@Tandem hello")
            answer = everything(await workspace.reply(GENERAL, root, root))
            await workspace.command(ADA, DM, "/model", "demo")
            told = (await seen(workspace, "reference", user=ADA, channel=DM))["text"]
            line = logged(tandem, told)

    assert at_start["severity"] == "ERROR" and at_start["scope"] == "users:read"
    assert "lacks the scope users:read: in your app's manifest add the line `- users:read " in at_start["message"]
    assert "built-in demo" in answer, "what can be done without the scope is done"
    assert told.startswith("Slack did not let me do that. Please tell whoever runs Tandem (reference ")
    assert line["detail"] == "users.info: missing_scope (needs users:read)"
