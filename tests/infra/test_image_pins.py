"""`make pin` writes the digests that registries give, and nothing that they did not give."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.infra.image import ROOT

pytestmark = pytest.mark.infra

KUSTOMIZATION = """resources: [deployment.yaml]
images:
  - name: llama-cpp
    newName: {host}/ggml-org/llama.cpp
    newTag: server-b1
"""


@dataclass
class Registry:
    """A registry that hands out manifests to whoever shows the token that anybody may have."""

    host: str = ""
    manifests: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def digest(self, name: str) -> str:
        return f"sha256:{hashlib.sha256(self.manifests[name]).hexdigest()}"


@pytest.fixture
def registry() -> Iterator[Registry]:
    known = Registry()
    for name in ("library/python:3.13-slim", "distroless/python3:nonroot", "ggml-org/llama.cpp:server-b1"):
        known.manifests[name] = json.dumps({"schemaVersion": 2, "of": name}).encode()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/token?"):
                assert "service=here" in self.path and "scope=repository%3A" in self.path
                self._answer(200, b'{"token": "anybody"}')
            elif self.headers.get("Authorization") != "Bearer anybody":
                repository = self.path.removeprefix("/v2/").partition("/manifests/")[0]
                realm = f'realm="http://{known.host}/token",service="here",scope="repository:{repository}:pull"'
                self._answer(401, b"{}", ("WWW-Authenticate", f"Bearer {realm}"))
            else:
                name = self.path.removeprefix("/v2/").replace("/manifests/", ":")
                known.asked.append(name)
                assert "oci.image.index" in self.headers["Accept"]
                self._answer(200 if name in known.manifests else 404, known.manifests.get(name, b"{}"))

        def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (("Content-Length", str(len(body))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Answers) as server:
        known.host = f"127.0.0.1:{server.server_port}"
        yield known


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def repository(tmp_path: Path, registry: Registry) -> Path:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {registry.host}/library/python:3.13-slim AS build\nRUN pip\n"
        f"FROM {registry.host}/distroless/python3:nonroot\n"
    )
    (tmp_path / "k8s/gemma").mkdir(parents=True)
    (tmp_path / "k8s/gemma/kustomization.yaml").write_text(KUSTOMIZATION.format(host=registry.host))
    return tmp_path


def pin(repository: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/pin.py"), "--root", str(repository), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_image_gets_the_hash_of_the_manifest_that_its_registry_gave(repository: Path, registry: Registry) -> None:
    assert pin(repository).returncode == 0

    dockerfile = (repository / "Dockerfile").read_text()
    assert dockerfile.splitlines() == [
        f"FROM {registry.host}/library/python:3.13-slim@{registry.digest('library/python:3.13-slim')} AS build",
        "RUN pip",
        f"FROM {registry.host}/distroless/python3:nonroot@{registry.digest('distroless/python3:nonroot')}",
    ]
    kustomization = (repository / "k8s/gemma/kustomization.yaml").read_text()
    assert kustomization.endswith(f"newTag: server-b1\n    digest: {registry.digest('ggml-org/llama.cpp:server-b1')}\n")


def test_pinning_again_asks_nobody_and_renewing_takes_what_the_tag_has_become(
    repository: Path, registry: Registry
) -> None:
    pin(repository)
    before = (repository / "Dockerfile").read_text()
    registry.asked.clear()
    registry.manifests["library/python:3.13-slim"] = b'{"newer": true}'

    assert pin(repository).returncode == 0
    assert registry.asked == [] and (repository / "Dockerfile").read_text() == before

    assert pin(repository, "--renew").returncode == 0
    assert registry.digest("library/python:3.13-slim") in (repository / "Dockerfile").read_text()


def test_a_check_names_what_is_not_pinned_and_changes_nothing(repository: Path, registry: Registry) -> None:
    done = pin(repository, "--check")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Dockerfile: {registry.host}/library/python:3.13-slim has no digest",
        f"Dockerfile: {registry.host}/distroless/python3:nonroot has no digest",
        f"k8s/gemma/kustomization.yaml: {registry.host}/ggml-org/llama.cpp:server-b1 has no digest",
    ]
    assert registry.asked == []
    pin(repository)
    assert pin(repository, "--check").returncode == 0


def test_a_tag_that_the_registry_does_not_know_is_said_and_gets_no_digest(repository: Path, registry: Registry) -> None:
    del registry.manifests["distroless/python3:nonroot"]

    done = pin(repository)

    assert done.returncode == 1
    assert f"{registry.host}/distroless/python3:nonroot cannot be found out" in done.stderr
    assert "sha256" not in (repository / "Dockerfile").read_text()


def test_a_registry_that_is_away_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM 127.0.0.1:1/library/python:3.13-slim\n")

    done = pin(tmp_path)

    assert done.returncode == 1
    assert re.fullmatch(r"pin: 127\.0\.0\.1:1/library/python:3\.13-slim cannot be found out at .+\n", done.stderr)


def test_every_image_of_others_in_this_repository_is_seen() -> None:
    """What `make deploy` asks. In a clone that nobody has pinned all are named; afterwards none is."""
    named = {line.split(": ")[0] for line in pin(ROOT, "--check").stderr.splitlines()}
    pinned = {path for path in ("Dockerfile", "deploy/gemma/Dockerfile") if "@sha256:" in (ROOT / path).read_text()}

    assert named | pinned >= {"Dockerfile", "deploy/gemma/Dockerfile"}
    for file in (path for path in (ROOT / "k8s").rglob("*.yaml") if "newName" in path.read_text("utf-8")):
        assert file.name == "kustomization.yaml"
        assert str(file.relative_to(ROOT)) in named or "digest: sha256:" in file.read_text("utf-8")
