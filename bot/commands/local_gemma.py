"""Settings in, who will answer in the playground out: what is configured, else a small Gemma here, else the demo.

The small Gemma is fetched and started in the background. Until it answers, and whenever it does not, the catalogue
written for this run lets the demo stand in, which every answer says.
"""

import asyncio
import contextlib
import importlib.util
import secrets
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bot.commands.children import Child
from bot.commands.ports import free_port
from bot.config import Settings
from bot.errors import ModelError
from bot.llm.local.weights import GEMMA_1B, GEMMA_270M, Weights, cached, fetch

HOST = "127.0.0.1"
CONTEXT_TOKENS = 8192  # for each of the server's two slots
CONNECT = "GEMINI_API_KEY=…, GOOGLE_CLOUD_PROJECT=… or GEMMA_URL=… connects a real one."

# Deadlines for two cores, which read about 80 tokens and write about 10 a second.
CATALOGUE = """
[[model]]
id = "gemma"
label = "{label}"
provider = "gemma"
where = "self-hosted"
family = "gemma3"
dialect = "completions"
context_tokens = {context}
answer_tokens = 1024
history_tokens = 4000
first_token_s = 120.0
stall_s = 60.0
total_s = 600.0
stand_in = "demo"
sampling = ["temperature", "top_p"]

[[model]]
id = "demo"
label = "Demo (no AI)"
provider = "demo"
where = "built-in"
context_tokens = 65536
answer_tokens = 16384
"""


class StartChild(Protocol):
    """Runs a module as a process of the playground."""

    async def __call__(
        self, name: str, module: str, *arguments: str, said: Callable[[str], None] | None = None
    ) -> Child: ...


async def _nothing(start: StartChild) -> None:
    """No process is needed."""


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Who answers: one sentence for the terminal, what `tandem serve` needs to know, and what must run for it."""

    sentence: str
    environment: dict[str, str] = field(default_factory=dict)
    serve: Callable[[StartChild], Coroutine[Any, Any, None]] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says about the small Gemma."""

    small: bool = False
    download: bool = True
    folder: Path  # where weights are kept


async def plan_model(settings: Settings, directory: Path, *, wish: Wish, say: Callable[[str], None]) -> ModelPlan:
    """Decide who answers; `directory` is for files of this run. Takes no longer than a hub may take to be reached."""
    if configured := _configured(settings):
        return ModelPlan(f"Who answers: {configured}.")
    if settings.default_model == "demo":
        return demo("as TANDEM_DEFAULT_MODEL says")
    if importlib.util.find_spec("xllamacpp") is None:
        return demo("llama.cpp, which would run a small Gemma here, is not installed")
    weights = GEMMA_270M if wish.small else GEMMA_1B
    if path := cached(weights, wish.folder):
        sentence = f"Who answers: {weights.label}, on this machine; the demo, which is no AI, until it has loaded."
        fetched: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
        fetched.set_result(path)
        return _local(weights, directory, fetched, sentence, say)
    if not wish.download:
        return demo("no weights are here, and --no-download forbids to fetch them")
    try:
        fetched = await _begin_to_fetch(weights, wish.folder, settings.weights_hub, say)
    except ModelError as error:
        return demo(f"the small Gemma cannot be fetched: {str(error).rstrip('.')}")
    sentence = (
        f"Who answers: {weights.label}, as soon as it is fetched and loaded; until then the demo, which is no AI."
    )
    return _local(weights, directory, fetched, sentence, say)


def demo(reason: str) -> ModelPlan:
    """The built-in model alone."""
    who = f"Who answers: the built-in demo, which is no AI ({reason})."
    return ModelPlan(f"{who}\n  {CONNECT}", {"TANDEM_DEFAULT_MODEL": "demo"})


def _configured(settings: Settings) -> str:
    key, project = settings.gemini_api_key.get_secret_value(), settings.google_cloud_project
    found = [
        *([f"Gemma at {settings.gemma_url}"] if settings.gemma_url else []),
        *(["Gemini with your API key" if key else f"Gemini in the project {project}"] if settings.has_gemini else []),
        *([f"the models of {settings.models}"] if settings.models else []),
    ]
    return " and ".join(found)


async def _begin_to_fetch(
    weights: Weights, folder: Path, hub: str, say: Callable[[str], None]
) -> "asyncio.Future[Path]":
    """Start the download, and return once the hub has been reached; the file comes later. Raises ModelError."""
    loop = asyncio.get_running_loop()
    begun, fetched = loop.create_future(), loop.create_future()

    def begin(sentence: str) -> None:
        say(sentence)
        loop.call_soon_threadsafe(_settle, begun, None)

    def work() -> None:
        try:
            path = fetch(weights, folder, hub=hub, say=begin, progress=sys.stderr.isatty())
        except Exception as error:
            outcome: Path | Exception = error
        else:
            outcome = path
        with contextlib.suppress(RuntimeError):  # the playground has ended meanwhile
            loop.call_soon_threadsafe(_settle, fetched, outcome)

    # A thread that nobody waits for: Ctrl-C ends the download where it is, and the next run goes on from there.
    threading.Thread(target=work, name="weights", daemon=True).start()
    await asyncio.wait({begun, fetched}, return_when=asyncio.FIRST_COMPLETED)
    if not begun.done():
        await fetched
    return fetched


def _settle(future: "asyncio.Future[Any]", outcome: object) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _local(
    weights: Weights, directory: Path, fetched: "asyncio.Future[Path]", sentence: str, say: Callable[[str], None]
) -> ModelPlan:
    """Gemma on this machine, behind a key of this run."""
    port, key_file, catalogue = free_port(HOST), directory / "gemma.key", directory / "models.toml"
    key_file.touch(mode=0o600)
    key_file.write_text(secrets.token_hex(16))
    catalogue.write_text(CATALOGUE.format(label=weights.label, context=CONTEXT_TOKENS), "utf-8")
    environment = {
        "GEMMA_URL": f"http://{HOST}:{port}",
        "GEMMA_API_KEY": key_file.read_text(),
        "TANDEM_MODELS": str(catalogue),
        "TANDEM_DEFAULT_MODEL": "gemma",
    }
    options = ("--port", str(port), "--key-file", str(key_file), "--context", str(CONTEXT_TOKENS))
    return ModelPlan(sentence, environment, partial(_serve, weights, fetched, options, say))


async def _serve(
    weights: Weights,
    fetched: "asyncio.Future[Path]",
    options: tuple[str, ...],
    say: Callable[[str], None],
    start: StartChild,
) -> None:
    """Wait for the weights, run the server on them, and say what becomes of both."""
    try:
        path = await fetched
    except ModelError as error:
        say(f"{error} The demo goes on answering.")
        return

    def said(line: str) -> None:
        if line.startswith("ready "):
            say(f"{weights.label} answers now.")

    server = await start("gemma", "bot.llm.local.server", str(path), *options, said=said)
    code = await server.ended()
    say(f"{weights.label} has ended ({how_it_ended(code)}); the demo answers in its place. Its last words:")
    for line in server.last_words:
        say(f"    {line}")


def how_it_ended(code: int) -> str:
    """A process's exit code, or the negative number of the signal that ended it, in words."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
