"""A GGUF file in, a real llama.cpp server on loopback out, started as production starts it and ended by its pid."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEY = "the-local-key"


@dataclass(frozen=True, slots=True)
class Llama:
    """A running server."""

    url: str
    key: str
    process: subprocess.Popen[str]


@contextmanager
def serving(model: Path, *, context: int = 4096, slots: int = 2, port: int = 0) -> Iterator[Llama]:
    """`python -m bot.llm.local.server` on the model, ready; its output is kept beside the model for who must look."""
    key_file = model.with_suffix(".key")
    key_file.write_text(KEY)
    command = [sys.executable, "-m", "bot.llm.local.server", str(model), "--port", str(port)]
    command += ["--key-file", str(key_file), "--context", str(context), "--slots", str(slots)]
    with model.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=Path(__file__).parents[2]
        )
    with process:
        assert process.stdout is not None
        try:
            word, _, url = process.stdout.readline().strip().partition(" ")
            if word != "ready":
                raise RuntimeError("llama.cpp did not start:\n" + model.with_suffix(".log").read_text()[-2000:])
            yield Llama(url, KEY, process)
        finally:
            process.kill()
