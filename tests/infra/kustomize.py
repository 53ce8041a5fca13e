"""A folder of k8s/ in, the manifests that would be applied out: built by kubectl in a copy, for a made-up project."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
Manifest = dict[str, Any]

PROJECT_ID, HOSTNAME, WEIGHTS_BUCKET = "example-project", "tandem.example.com", "example-project-tandem-weights"
PROJECT_ENV = f"PROJECT_ID={PROJECT_ID}\nHOSTNAME={HOSTNAME}\nWEIGHTS_BUCKET={WEIGHTS_BUCKET}\n"

BASES = ("base", "gemma/base", "gemma/vllm")  # parts of others, never applied by themselves
KUSTOMIZATIONS = sorted(
    path.parent.relative_to(K8S).as_posix()
    for path in K8S.rglob("kustomization.yaml")
    if "kind: Kustomization" in path.read_text("utf-8")
)
APPLIED = tuple(folder for folder in KUSTOMIZATIONS if folder not in BASES)
OVERLAYS = tuple(folder for folder in APPLIED if folder.startswith("overlays/"))
SERVERS = tuple(folder for folder in APPLIED if folder.startswith("gemma/gemma"))


class BuildFailed(Exception):
    """kustomize refused the folder. The message is its own."""


class Tree:
    """A copy of k8s/, whose builds are kept until a file is changed."""

    def __init__(self, folder: Path) -> None:
        self.root = folder.resolve() / "k8s"
        shutil.copytree(K8S, self.root)
        (self.root / "components/project/project.env").write_text(PROJECT_ENV)
        self._built: dict[str, list[Manifest]] = {}

    def spoilt(self, folder: Path, file: str, old: str, new: str) -> "Tree":
        """Another copy, with a change that touches only what is built of that file."""
        other = Tree(folder)
        other._built = {each: self.build(each) for each in APPLIED}
        other.replace(file, old, new)
        return other

    def build(self, folder: str) -> list[Manifest]:
        """The folder's manifests; raises BuildFailed."""
        if folder not in self._built:
            self._built[folder] = _build(self.root / folder)
        return self._built[folder]

    def compose(self, components: Sequence[str]) -> list[Manifest]:
        """The bot with these components, as an overlay of somebody's own would have it."""
        own = self.root / "overlays/own"
        own.mkdir(exist_ok=True)
        lines = "".join(f"  - ../../components/{component}\n" for component in components)
        (own / "kustomization.yaml").write_text(f"resources: [../../base]\ncomponents:\n{lines}")
        return _build(own)

    @property
    def changed(self) -> list[str]:
        """The folders that have not been built since they, or a part of them, were changed."""
        return [folder for folder in APPLIED if folder not in self._built]

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a file; whoever names a text that is not there exactly once has made a mistake of his own."""
        path = self.root / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{file} holds {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new))
        folder = path.parent
        self._built = {
            built: manifests for built, manifests in self._built.items() if folder not in _parts(self.root / built)
        }


@cache
def kubectl() -> str:
    """Its path; without one, tests are skipped, or fail where nothing may be left out."""
    beside_python = Path(sys.executable).with_name("kubectl")
    found = shutil.which("kubectl") or (str(beside_python) if beside_python.is_file() else None)
    if found is None:
        missing("kubectl is missing: `make infra` fetches one on Linux.")
    return found


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where CI is true."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


def _parts(folder: Path) -> set[Path]:
    """The folders that a build is made of, itself among them."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    below = [folder / name for name in kustomization.get("resources", []) + kustomization.get("components", [])]
    return {folder}.union(*(_parts(part.resolve()) for part in below if part.is_dir()))


def _build(folder: Path) -> list[Manifest]:
    hasty = {**os.environ, "GOGC": "off"}  # it ends before it is worth tidying up: a third less of the processor
    command = [kubectl(), "kustomize", str(folder)]
    done = subprocess.run(command, env=hasty, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise BuildFailed(done.stderr.strip())
    return [manifest for manifest in yaml.load_all(done.stdout, yaml.CSafeLoader) if manifest]
