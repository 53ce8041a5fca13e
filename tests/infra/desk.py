"""A directory in, a desk out: a clone of the repository, a cloud of its own, and the tools between them."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra import cloud
from tests.infra.image import ROOT

DIGEST = "sha256:" + "0" * 64
TOOLS = ("gcloud", "gke-gcloud-auth-plugin", "kubectl", "skaffold", "terraform")
PROGRAM = f"""#!{Path(sys.executable).resolve()} -IS
import sys
sys.path.insert(0, {str(Path(cloud.__file__).parent)!r})
import cloud
sys.exit(cloud.main())
"""
CHANGES = ("buckets create", "apply", "versions add", "skaffold run", "get-credentials", "kubectl")


@dataclass
class Desk:
    """A clone of the repository, a cloud, and the tools between them."""

    path: Path

    @property
    def clone(self) -> Path:
        return self.path / "clone"

    @property
    def state(self) -> dict[str, Any]:
        return cloud.load(str(self.path / "state"))

    def set(self, **values: Any) -> None:
        cloud.save(str(self.path / "state"), self.state | values)

    @property
    def journal(self) -> list[str]:
        file = self.path / "journal"
        return file.read_text().splitlines() if file.is_file() else []

    @property
    def changes(self) -> list[str]:
        return [line for line in self.journal if any(change in line for change in CHANGES)]

    def deploy(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.path / 'bin'}", "FAKE_CLOUD": str(self.path), "HOME": str(self.path)}
        command = [sys.executable, "scripts/deploy.py", *words]
        return subprocess.run(
            command,
            cwd=self.clone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def fill(self, *secrets: str) -> None:
        """What a person adds by hand."""
        held = self.state["secrets"]
        self.set(secrets=held | {f"tandem-{secret}": ["a-value"] for secret in secrets})


def set_up(path: Path) -> Desk:
    """All that `make deploy` reads, its images pinned, in a directory of its own."""
    desk = Desk(path)
    for name in ("scripts", "terraform", "k8s", "deploy"):
        shutil.copytree(ROOT / name, desk.clone / name, ignore=shutil.ignore_patterns(".terraform*", "project.env"))
    for name in ("skaffold.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, desk.clone / name)
    for file in (desk.clone / "Dockerfile", desk.clone / "deploy/gemma/Dockerfile"):
        file.write_text(re.sub(r"^(FROM [^\s@]+)(@\S+)?", rf"\1@{DIGEST}", file.read_text(), flags=re.M))
    cpu = desk.clone / "k8s/gemma/gemma-1b-cpu/kustomization.yaml"
    cpu.write_text(re.sub(r"( +)(newTag: .*\n)( +digest: .*\n)?", rf"\1\2\1digest: {DIGEST}\n", cpu.read_text()))
    (path / "bin").mkdir()
    for tool in TOOLS:
        program = path / "bin" / tool
        program.write_text(PROGRAM)
        program.chmod(0o755)
    cloud.save(str(path / "state"), cloud.FRESH)
    return desk
