"""The embedded model's server: loopback, a key, clear words when it cannot start, an end with whoever started it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import aiohttp
import psutil
import pytest
import requests

from bot.conversation.models import Prompt, PromptTurn, Sampling
from bot.errors import ModelUnavailable, PromptTooLong, StreamBroken
from bot.llm.gemma import GemmaModel
from bot.llm.local.server import CANNOT_LOAD, CANNOT_RUN
from tests.doubles.asking import SPEC, answer_of
from tests.doubles.llama import Llama, serving
from tests.doubles.tiny_gemma import write_tiny_gemma

BABBLE = Prompt(
    system="", turns=(PromptTurn("user", "Hello?"),), sampling=Sampling(temperature=0.0, max_tokens=100_000)
)


@pytest.fixture(scope="module")
def babbling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gemma(tmp_path_factory.mktemp("gemma") / "babbling.gguf")


@pytest.fixture
def llama(babbling: Path) -> Iterator[Llama]:
    with serving(babbling, context=1024) as running:
        yield running


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while not gone(pid):
            await asyncio.sleep(0.05)


async def test_it_listens_on_loopback_alone_and_wants_its_key(llama: Llama) -> None:
    connections = psutil.Process(llama.process.pid).net_connections()

    assert {connection.laddr.ip for connection in connections if connection.status == "LISTEN"} == {"127.0.0.1"}
    answer = await asyncio.to_thread(requests.post, f"{llama.url}/v1/completions", json={"prompt": "x"}, timeout=5)
    assert answer.status_code == 401


async def test_an_answer_ends_at_the_end_of_the_context(llama: Llama) -> None:
    async with aiohttp.ClientSession() as session:
        model = GemmaModel(replace(SPEC, url=llama.url), session=session, api_key=llama.key)
        _, last = await answer_of(model, BABBLE)

    assert last.finish == "length"
    assert model.entry.context_tokens == 1024
    assert last.usage is not None and 900 < last.usage.prompt + last.usage.answer <= 1024


async def test_a_prompt_beyond_its_context_is_said_to_be_too_long(llama: Llama) -> None:
    async with aiohttp.ClientSession() as session:
        model = GemmaModel(replace(SPEC, url=llama.url), session=session, api_key=llama.key)
        with pytest.raises(PromptTooLong) as caught:
            await answer_of(model, replace(BABBLE, turns=(PromptTurn("user", "thread " * 3000),)))

    assert caught.value.limit_tokens == 768


async def test_a_reader_who_stops_frees_the_server_at_once(llama: Llama) -> None:
    async with aiohttp.ClientSession() as session:
        model = GemmaModel(replace(SPEC, url=llama.url), session=session, api_key=llama.key)
        for _ in range(6):  # more than it has slots
            async with aclosing(model.stream(BABBLE)) as chunks:
                await anext(chunks)
        async with asyncio.timeout(5):
            await answer_of(model, replace(BABBLE, sampling=Sampling(max_tokens=2)))


async def test_a_server_that_dies_in_mid_answer_breaks_the_answer(llama: Llama) -> None:
    async with aiohttp.ClientSession() as session:
        model = GemmaModel(replace(SPEC, url=llama.url), session=session, api_key=llama.key)
        with pytest.raises(StreamBroken):
            async for chunk in model.stream(BABBLE):
                if chunk.text and llama.process.poll() is None:
                    llama.process.kill()
        with pytest.raises(ModelUnavailable):
            await answer_of(model, BABBLE)


async def test_it_ends_when_its_input_ends(llama: Llama) -> None:
    assert llama.process.stdin is not None

    llama.process.stdin.close()

    await until_gone(llama.process.pid)


async def test_it_ends_when_it_is_told_to(llama: Llama) -> None:
    llama.process.terminate()

    assert await asyncio.to_thread(llama.process.wait, 5) == 0


async def test_it_ends_with_the_process_that_started_it(babbling: Path) -> None:
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'bot.llm.local.server', {str(babbling)!r}],"
        " stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert not gone(pid)

    parent.kill()

    await parent.wait()
    await until_gone(pid)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = run("-m", "bot.llm.local.server", str(tmp_path / "none.gguf"))

    assert (ended.returncode, ended.stderr.strip()) == (CANNOT_LOAD, f"There is no file {tmp_path / 'none.gguf'}.")


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("no model")

    ended = run("-m", "bot.llm.local.server", str(tmp_path / "text.gguf"))

    assert ended.returncode == CANNOT_LOAD
    assert f"llama.cpp cannot serve {tmp_path / 'text.gguf'}" in ended.stderr


def test_a_port_in_use_is_said(llama: Llama, babbling: Path) -> None:
    ended = run("-m", "bot.llm.local.server", str(babbling), "--port", llama.url.rpartition(":")[2])

    assert ended.returncode == CANNOT_LOAD
    assert "cannot serve" in ended.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("No module named 'xllamacpp'", "pip install 'tandem-slack[local]'"),
        ("libgomp.so.1: cannot open shared object file: No such file or directory", "apt-get install libgomp1"),
    ],
)
def test_what_is_missing_on_this_machine_is_said(error: str, words: str) -> None:
    program = (
        "import sys, importlib.abc\n"
        "class Missing(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'xllamacpp': raise ImportError({error!r})\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from bot.llm.local.server import main\n"
        "sys.exit(main(['model.gguf']))\n"
    )
    ended = run("-c", program)

    assert ended.returncode == CANNOT_RUN
    assert words in ended.stderr and "Traceback" not in ended.stderr
