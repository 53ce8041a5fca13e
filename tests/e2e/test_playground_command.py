"""`tandem playground`: one command, a browser page, an answer; and nothing is left when it ends, however it ends."""

import asyncio
import signal
import socket
from pathlib import Path

import psutil
import pytest

from bot.llm.local.weights import GEMMA_1B
from tests.doubles.hub import hub
from tests.doubles.launched import launched
from tests.doubles.tiny_gemma import write_tiny_gemma

SAYS = "tiny Gemma wrote these few words"
NO_MODEL = ("--port", "0", "--no-download", "--weights", "none")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a tiny Gemma under the name of the one that would be fetched."""
    folder = tmp_path_factory.mktemp("weights")
    write_tiny_gemma(folder / GEMMA_1B.file, SAYS)
    return folder


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=10)[1]


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_without_any_account_the_small_gemma_answers_and_ctrl_c_ends_everything(
    weights: Path, tmp_path: Path
) -> None:
    async with launched("--port", "0", "--weights", str(weights), cwd=tmp_path) as playground:
        await playground.hears("Gemma 3 1B answers now")
        children = playground.children()

        answer = await playground.ask("@Tandem hello")

        assert SAYS in answer
        assert "Gemma 3 1B" in answer
        assert children.keys() == {"playground", "bot", "bot.llm.local.server"}
        assert await playground.end(signal.SIGINT) == 0
        assert gone(list(children.values()))
    assert left_in(tmp_path) == []


async def test_where_nothing_can_be_fetched_the_demo_answers_and_says_that_it_is_no_ai(tmp_path: Path) -> None:
    env = {"TANDEM_WEIGHTS_HUB": "http://127.0.0.1:9"}
    async with launched("--port", "0", "--weights", "none", cwd=tmp_path, env=env) as playground:
        await playground.hears(r"the built-in demo, which is no AI \(the small Gemma cannot be fetched: 127.0.0.1:9")

        answer = await playground.ask("@Tandem hello")

        assert "not an AI" in answer
        assert "GEMMA_URL" in answer


async def test_weights_are_fetched_while_the_page_is_open_and_gemma_answers_afterwards(
    weights: Path, tmp_path: Path
) -> None:
    with hub((weights / GEMMA_1B.file).read_bytes()) as serving:
        env = {"TANDEM_WEIGHTS_HUB": serving.url}
        async with launched("--port", "0", "--weights", str(tmp_path), cwd=tmp_path, env=env) as playground:
            await playground.hears("Fetching Gemma 3 1B .* once. .*Gemma Terms of Use")
            await playground.hears("Gemma 3 1B answers now")

            assert SAYS in await playground.ask("@Tandem hello")
    assert (tmp_path / GEMMA_1B.file).is_file()


async def test_when_gemma_dies_that_is_said_and_the_demo_stands_in(weights: Path, tmp_path: Path) -> None:
    async with launched("--port", "0", "--weights", str(weights), cwd=tmp_path) as playground:
        await playground.hears("Gemma 3 1B answers now")

        playground.children()["bot.llm.local.server"].kill()

        await playground.hears(r"Gemma 3 1B has ended \(signal 9\); the demo answers in its place")
        answer = await playground.ask("@Tandem are you there?")
        assert "not an AI" in answer
        assert "Gemma 3 1B" in answer, "the footer says for whom the demo stands in"


@pytest.mark.parametrize("victim", ["playground", "bot"])
async def test_when_one_process_dies_it_is_named_and_the_others_end(victim: str, tmp_path: Path) -> None:
    async with launched(*NO_MODEL, cwd=tmp_path) as playground:
        await playground.address()
        children = playground.children()

        children[victim].kill()

        name = {"playground": "slack", "bot": "bot"}[victim]
        assert await playground.ended() == 1
        await playground.hears(rf"tandem: {name} ended by itself \(signal 9\)")
        assert gone(list(children.values()))


async def test_where_the_bot_cannot_start_nothing_is_announced(tmp_path: Path) -> None:
    env = {"GEMMA_URL": "http://127.0.0.1:9", "TANDEM_DEFAULT_MODEL": "gpt"}
    async with launched("--port", "0", cwd=tmp_path, env=env) as playground:
        assert await playground.ended() == 1

        await playground.hears(r"TANDEM_DEFAULT_MODEL.*\n(.*\n)*tandem: bot ended by itself \(exit code 2\)")
        assert "playground is at" not in "\n".join(playground.lines)


async def test_when_the_terminal_is_killed_no_process_is_left_behind(tmp_path: Path) -> None:
    async with launched(*NO_MODEL, cwd=tmp_path) as playground:
        await playground.address()
        children = list(playground.children().values())

        assert await playground.end(signal.SIGKILL) == -signal.SIGKILL

        assert await asyncio.to_thread(gone, children)


async def test_a_port_that_was_asked_for_and_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with launched("--port", str(port), "--no-download", cwd=tmp_path) as playground:
            assert await playground.ended() == 2, "as `tandem serve` ends for a port in use"
            assert playground.lines == [
                f"tandem: Port {port} is in use on 127.0.0.1 already: stop what listens there, or choose another one."
            ]


async def test_a_real_workspace_in_dotenv_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "SLACK_BOT_TOKEN=xoxb-real\nSLACK_API_URL=http://127.0.0.1:9/api\nTANDEM_STORE=sqlite:///real.db\n"
    )
    async with launched(*NO_MODEL, cwd=tmp_path) as playground:
        assert "not an AI" in await playground.ask("@Tandem hello")
    assert not (tmp_path / "real.db").exists()
