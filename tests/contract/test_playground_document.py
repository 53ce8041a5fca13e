"""docs/playground.md tells the truth: its app answers, and it names every control call, option and trouble."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path

import pytest

from playground.__main__ import _parser
from playground.control import ROUTES
from playground.trouble import EventTrouble, Failure, SocketTrouble, Timing, Trouble
from tests.doubles.workspace import ROOT, Workspace

DOCUMENT = (ROOT / "docs" / "playground.md").read_text("utf-8")


@asynccontextmanager
async def _running(code: str, folder: Path) -> AsyncIterator[None]:
    (folder / "app.py").write_text(code)
    process = await asyncio.create_subprocess_exec(sys.executable, str(folder / "app.py"))
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_the_app_in_the_document_answers_a_mention(tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    async with Workspace() as workspace, _running(code.replace("http://127.0.0.1:3000", workspace.url), tmp_path):
        await workspace.connected()
        ts = await workspace.say("U0ADA", "C0GENERAL", "@Tandem hello")
        [answer] = await workspace.reply("C0GENERAL", ts)
    assert answer["text"] == "Hello, <@U0ADA>."


@pytest.mark.parametrize(("method", "name"), ROUTES)
def test_every_control_call_is_told_of(method: str, name: str) -> None:
    assert re.search(rf"`{method} {name}\b", DOCUMENT), f"{method} {name} is missing"


def test_no_control_call_is_made_up() -> None:
    told = set(re.findall(r"`(GET|POST) (\w+)(?=[?`\[])", DOCUMENT))
    assert told - {("GET", "file"), ("GET", "URL")} <= set(ROUTES)


def test_every_option_and_trouble_is_told_of() -> None:
    options = [option for action in _parser()._actions for option in action.option_strings if option.startswith("--")]
    assert [option for option in options if f"`{option}" not in DOCUMENT and option != "--help"] == []
    told = set(re.findall(r"\w+", DOCUMENT[DOCUMENT.index("## Trouble on demand") :]))
    names = {field.name for kind in (Trouble, EventTrouble, SocketTrouble, Failure) for field in fields(kind)}
    assert names - {"failures", "chance"} <= told
    assert set(re.findall(r"\b\w+_s\b", DOCUMENT[DOCUMENT.index("| `timing`") :].split("\n")[0])) <= {
        field.name for field in fields(Timing)
    }
