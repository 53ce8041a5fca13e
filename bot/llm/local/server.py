"""A GGUF file in, llama.cpp's server on 127.0.0.1 out: a process of its own that ends with the one that started it.

    python -m bot.llm.local.server MODEL.gguf --port 8081 --key-file KEY --context 8192 --slots 2

Prints `ready http://127.0.0.1:PORT` once it answers; port 0 picks a free one. llama.cpp's log goes to standard error.
It ends with its parent process, and when its standard input is a pipe also with that.
"""

import argparse
import os
import signal
import stat
import sys
import threading
from pathlib import Path
from typing import Any

NO_XLLAMACPP = """The local model needs the package xllamacpp, which is not installed: pip install 'tandem-slack[local]'
(there may be no build of it for this machine). Without it, use Gemini, a Gemma server of your own, or the demo."""
NO_LIBGOMP = """The local model needs the system library libgomp (GNU OpenMP), which is missing.
On Debian and Ubuntu: apt-get install libgomp1"""

PARENT_CHECK_S = 1.0

CANNOT_RUN = 3  # exit status: something on this machine is missing
CANNOT_LOAD = 4  # exit status: the file is no model that llama.cpp can load, or the port is taken


def main(argv: list[str] | None = None) -> int:
    """Serve until told to end; returns the exit status."""
    parent = os.getppid()  # now, because it may be gone by the time the weights are loaded
    asked = _arguments().parse_args(argv)
    try:
        import xllamacpp
    except ImportError as exc:
        print(NO_LIBGOMP if "libgomp" in str(exc) else NO_XLLAMACPP, file=sys.stderr)
        return CANNOT_RUN
    if not asked.model.is_file():
        print(f"There is no file {asked.model}.", file=sys.stderr)
        return CANNOT_LOAD
    try:
        server = xllamacpp.Server(_parameters(xllamacpp.CommonParams(), asked))
    except OSError as exc:
        print(f"The key file cannot be read: {exc}", file=sys.stderr)
        return CANNOT_LOAD
    except RuntimeError as exc:
        print(f"llama.cpp cannot serve {asked.model}: {exc} Its own lines above say why.", file=sys.stderr)
        return CANNOT_LOAD
    over = _told_to_end()
    print("ready", server.listening_address, flush=True)
    while not over.wait(PARENT_CHECK_S) and os.getppid() == parent:
        pass
    # Leaving properly would wait half a minute for answers that nobody reads any more.
    sys.stdout.flush()
    os._exit(0)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot.llm.local.server", description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="a GGUF file")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--key-file", type=Path, help="a file that holds the API key; without it there is none")
    parser.add_argument("--context", type=int, default=8192, help="tokens of context for each answer")
    parser.add_argument("--slots", type=int, default=2, help="answers at the same time")
    parser.add_argument("--name", default="gemma", help="the model's name in the API")
    return parser


def _parameters(params: Any, asked: argparse.Namespace) -> Any:
    params.model.path = str(asked.model)
    params.model_alias = {asked.name}
    params.hostnames = ["127.0.0.1"]
    params.port = asked.port
    params.n_parallel = asked.slots
    params.n_ctx = asked.context * asked.slots  # llama.cpp divides it among its slots
    params.cors_origins = "http://127.0.0.1"  # by default any web page could ask
    params.ui = False
    if asked.key_file:
        params.api_keys = [asked.key_file.read_text("utf-8").strip()]
    return params


def _await_end_of_input(over: threading.Event) -> None:
    sys.stdin.buffer.read()
    over.set()


def _told_to_end() -> threading.Event:
    """Set when a signal comes, or when standard input ends, if it is a pipe."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_await_end_of_input, args=(over,), daemon=True).start()
    return over


if __name__ == "__main__":
    sys.exit(main())
