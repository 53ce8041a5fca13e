"""Processes that the playground starts: their lines arrive, and none of them outlives it, however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bot.commands.children import Child, environment, start
from bot.commands.ports import free_port, is_free
from bot.config import load_settings

ROOT = Path(__file__).parents[2]

# A program that says where it is and stays. With an argument it will not hear of SIGTERM.
STAYS = """
import os, signal, sys, time
if len(sys.argv) > 1:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", os.getpid(), flush=True)
time.sleep(60)
"""

# A program that starts the one above as its child, and stays too.
PARENT = """
import asyncio, sys
from pathlib import Path
from bot.commands.children import environment, start

async def main():
    here = Path(sys.argv[1])
    await start("child", "stays", env={**environment(None, {}), "PYTHONPATH": sys.argv[2] + ":" + sys.argv[1]},
                cwd=here, said=lambda line: print(line, flush=True))
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stays.py").write_text(STAYS)
    return tmp_path


@pytest.fixture
async def started(folder: Path) -> AsyncIterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        await child.stop(0.5)


async def begin(folder: Path, *arguments: str) -> tuple[Child, int]:
    """A child that stays, once it is there, and its process id."""
    there: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    env = {**environment(None, {}), "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    child = await start(
        "child", "stays", *arguments, env=env, cwd=folder, said=lambda line: there.set_result(int(line.split()[1]))
    )
    async with asyncio.timeout(20):
        return child, await there


async def test_a_child_ends_when_it_is_asked_to(folder: Path, started: list[Child]) -> None:
    child, pid = await begin(folder)
    started.append(child)

    await child.stop(10)

    assert await child.ended() == -signal.SIGTERM
    assert not psutil.pid_exists(pid)
    assert child.last_words[0] == f"here {pid}"


async def test_a_child_that_does_not_listen_is_ended_after_its_grace(folder: Path, started: list[Child]) -> None:
    child, pid = await begin(folder, "stubborn")
    started.append(child)

    await child.stop(0.3)

    assert await child.ended() == -signal.SIGKILL
    assert not psutil.pid_exists(pid)


def test_a_child_ends_when_its_parent_is_killed_with_no_time_to_say_so(folder: Path) -> None:
    (folder / "parent.py").write_text(PARENT)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(folder / "parent.py"), str(folder), str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline().split()[1]))

        parent.kill()

        child.wait(timeout=5)


def test_a_child_gets_the_settings_written_out_and_none_of_ours_besides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    catalogue = tmp_path / "models.toml"
    catalogue.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", "/run/secrets/of-a-real-workspace")
    monkeypatch.setenv("TANDEM_STORE", "firestore://production/tandem")
    settings = load_settings({"GEMINI_API_KEY": "k", "TANDEM_MODELS": "models.toml", "TANDEM_LINK_HOSTS": "a.example"})

    env = environment(settings, {"TANDEM_STORE": "sqlite:///x.db"})

    assert "SLACK_BOT_TOKEN_FILE" not in env
    assert env["TANDEM_STORE"] == "sqlite:///x.db"
    assert env["TANDEM_MODELS"] == str(catalogue)
    assert load_settings(env, dotenv=tmp_path / "none") == load_settings(
        {
            "GEMINI_API_KEY": "k",
            "TANDEM_MODELS": str(catalogue),
            "TANDEM_LINK_HOSTS": "a.example",
            "TANDEM_STORE": "sqlite:///x.db",
        }
    )


async def test_the_next_free_port_is_found_when_the_first_is_taken() -> None:
    taken = free_port("127.0.0.1")
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", taken)

    assert not is_free("127.0.0.1", taken)
    assert free_port("127.0.0.1", taken) != taken

    server.close()
    await server.wait_closed()
    assert is_free("127.0.0.1", taken)
