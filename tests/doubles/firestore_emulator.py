"""Google's own Firestore emulator, started from its jar and ended by its process id; a free port in, an address out."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_LEAN = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # without them it grows to 750 MiB
_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_SDKS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/usr/local/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/opt/homebrew/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "~/google-cloud-sdk",
)
_FIREBASE = "~/.cache/firebase/emulators"  # where the Firebase tools keep theirs
_READY_S = 60.0


@dataclass(frozen=True, slots=True)
class FirestoreEmulator:
    """A running emulator. Every project id is an empty database of its own."""

    host: str  # "127.0.0.1:port"
    pid: int

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped in mid-air: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def running_emulator(log: Path) -> Iterator[FirestoreEmulator]:
    """Start the emulator, or skip the test that wants it (fail it where CI=true) and say what is missing."""
    java, jar = shutil.which("java"), find_jar()
    if java is None or jar is None:
        missing = "Java" if java is None else "the emulator's jar (gcloud components install cloud-firestore-emulator)"
        _do_without(f"The Firestore emulator needs {missing}; FIRESTORE_EMULATOR_JAR may name the jar")
    port = _free_port()
    command = [str(java), *_LEAN, "-cp", str(jar), _MAIN, "--host=127.0.0.1", f"--port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await_ready(process, port, log)
        yield FirestoreEmulator(f"127.0.0.1:{port}", process.pid)
    finally:
        process.kill()  # it holds nothing that must be written
        process.wait()


def find_jar() -> Path | None:
    """The emulator's jar, where this machine has it."""
    if named := os.environ.get("FIRESTORE_EMULATOR_JAR"):
        return Path(named) if Path(named).is_file() else None
    usual = [Path(sdk).expanduser() / _JAR for sdk in (*_SDKS, _sdk_root()) if sdk]
    firebase = sorted(Path(_FIREBASE).expanduser().glob("cloud-firestore-emulator-*.jar"), reverse=True)
    return next((jar for jar in (*usual, *firebase) if jar.is_file()), None)


def _sdk_root() -> str:
    """Where the gcloud on PATH lives: its launcher is `<sdk>/bin/gcloud`."""
    gcloud = shutil.which("gcloud")
    return str(Path(gcloud).resolve().parent.parent) if gcloud else ""


def _do_without(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as answer,
        ):
            if b"Ok" in answer.read():
                return
        time.sleep(0.05)
    pytest.fail(f"The Firestore emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")
