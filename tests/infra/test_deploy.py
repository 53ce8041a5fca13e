"""`make deploy`: what is wrong is said before anything is made, secrets stay secret, any failure can be repeated."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra import cloud
from tests.infra.image import ROOT

pytestmark = pytest.mark.infra

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


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    for name in ("scripts", "terraform", "k8s", "deploy"):
        shutil.copytree(ROOT / name, desk.clone / name, ignore=shutil.ignore_patterns(".terraform*", "project.env"))
    for name in ("skaffold.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, desk.clone / name)
    for file in (desk.clone / "Dockerfile", desk.clone / "deploy/gemma/Dockerfile"):
        file.write_text(re.sub(r"^(FROM [^\s@]+)(@\S+)?", rf"\1@{DIGEST}", file.read_text(), flags=re.M))
    cpu = desk.clone / "k8s/gemma/gemma-1b-cpu/kustomization.yaml"
    cpu.write_text(re.sub(r"( +)(newTag: .*\n)( +digest: .*\n)?", rf"\1\2\1digest: {DIGEST}\n", cpu.read_text()))
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        program = tmp_path / "bin" / tool
        program.write_text(PROGRAM)
        program.chmod(0o755)
    cloud.save(str(tmp_path / "state"), cloud.FRESH)
    return desk


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """A desk at which everything has been deployed once, but for the bot and Gemma: their secrets are in."""
    assert desk.deploy("my-project", "--yes").returncode == 1
    desk.fill("slack-bot-token", "slack-app-token", "slack-signing-secret", "hf-token")
    (desk.path / "journal").unlink()
    return desk


def test_from_an_empty_project_to_a_bot_and_a_gemma(desk: Desk) -> None:
    first = desk.deploy("my-project", "--yes")

    assert first.returncode == 1
    assert "tandem-slack-bot-token is empty" in first.stderr and "tandem-slack-app-token is empty" in first.stderr
    assert desk.state["applied"] == ["my-project"] and desk.state["shipped"] == []

    desk.fill("slack-bot-token", "slack-app-token", "hf-token")
    second = desk.deploy("my-project", "--yes")

    assert second.returncode == 0, second.stderr
    assert desk.state["shipped"] == ["bot prod", "gemma gemma3-12b-l4"]
    assert desk.state["objects"] == ["gs://my-project-tandem-weights/gemma-3-12b-it/REVISION"]


def test_a_third_run_makes_nothing_twice(ready: Desk) -> None:
    ready.deploy("my-project", "--yes")
    key = ready.state["secrets"]["tandem-gemma-key"]
    done = ready.deploy("my-project", "--yes")

    assert done.returncode == 0, done.stderr
    assert ready.state["buckets"] == ["gs://my-project-tandem-state"]
    assert len(key) == 1 and ready.state["secrets"]["tandem-gemma-key"] == key
    assert len([line for line in ready.journal if "module=weights" in line]) == 1


def test_the_bot_alone_waits_for_no_gpu_and_touches_no_infrastructure(ready: Desk) -> None:
    done = ready.deploy("my-project", "--only", "bot")

    assert done.returncode == 0, done.stderr
    assert ready.state["shipped"] == ["bot prod"]
    assert not [line for line in ready.journal if " apply -input" in line or "module=gemma" in line]


def test_gemma_on_a_cpu_builds_nothing_and_copies_no_weights(ready: Desk) -> None:
    done = ready.deploy("my-project", "--environment", "dev", "--only", "gemma")

    assert done.returncode == 0, done.stderr
    assert ready.state["shipped"] == ["gemma-1b-cpu"]
    assert not [line for line in ready.journal if "module=weights" in line]


def test_weights_that_could_not_be_copied_are_said_and_no_server_waits_for_them(ready: Desk) -> None:
    ready.set(copy_fails=True)

    done = ready.deploy("my-project", "--yes")

    assert done.returncode == 1 and "The weights could not be copied" in done.stderr
    assert ready.state["shipped"] == ["bot prod"]


def test_an_overlay_of_ones_own_is_shipped_without_a_gemma_where_it_has_none(ready: Desk) -> None:
    own = ready.clone / "k8s/overlays/own"
    own.mkdir()
    (own / "kustomization.yaml").write_text("resources: [../../base]\ncomponents:\n  - ../../components/project\n")

    done = ready.deploy("my-project", "--yes", "--overlay", "own")

    assert done.returncode == 0, done.stderr
    assert ready.state["shipped"] == ["bot own"]


def test_over_http_the_signing_secret_is_needed_and_the_dns_records_are_told(ready: Desk) -> None:
    (ready.clone / "terraform/envs/my-project.tfvars").write_text('hostname = "tandem.example.com"\n')
    ready.set(hostname="tandem.example.com", secrets=ready.state["secrets"] | {"tandem-slack-signing-secret": []})

    refused = ready.deploy("my-project", "--yes")
    ready.fill("slack-signing-secret")
    done = ready.deploy("my-project", "--yes")

    assert "tandem-slack-signing-secret is empty" in refused.stderr and "app-token" not in refused.stderr
    assert done.returncode == 0, done.stderr
    assert "bot prod-http" in ready.state["shipped"]
    assert "tandem.example.com. A 192.0.2.1" in done.stdout
    assert "HOSTNAME=tandem.example.com\n" in (ready.clone / "k8s/components/project/project.env").read_text()


def test_what_skaffold_gets_is_about_this_project_and_has_its_own_account(ready: Desk) -> None:
    ready.deploy("my-project", "--yes")

    modules = {
        each["metadata"]["name"]: each for each in yaml.safe_load_all((ready.clone / ".skaffold.yaml").read_text())
    }
    for name in ("bot", "gemma-image"):
        built = modules[name]["build"]["googleCloudBuild"]
        assert built["projectId"] == "my-project" and built["region"] == "europe-west4"
        assert built["serviceAccount"] == (
            "projects/my-project/serviceAccounts/tandem-build@my-project.iam.gserviceaccount.com"
        )


def test_gemmas_key_is_random_and_appears_nowhere_but_in_its_secret(desk: Desk) -> None:
    done = desk.deploy("my-project", "--yes")
    [key] = desk.state["secrets"]["tandem-gemma-key"]

    assert len(key) >= 40
    assert key not in done.stdout + done.stderr + "\n".join(desk.journal)
    files = [path for path in desk.clone.rglob("*") if path.is_file()]
    assert not [path for path in files if key.encode() in path.read_bytes()]


def test_a_secret_that_cannot_be_looked_at_is_not_made_anew(ready: Desk) -> None:
    ready.set(fail_at="versions list tandem-gemma-key")
    before = ready.state["secrets"]

    done = ready.deploy("my-project", "--only", "bot")

    assert done.returncode == 1 and "tandem-gemma-key cannot be looked at: it broke" in done.stderr
    assert ready.state["secrets"] == before


@pytest.mark.parametrize(
    "step",
    [
        "buckets create",
        "apply -input",
        "output -json",
        "versions add tandem-gemma-key",
        "apply --kustomize",
        "module=bot",
        "wait --for",
    ],
)
def test_after_a_failure_anywhere_the_same_command_finishes_the_work(desk: Desk, step: str) -> None:
    secrets = {f"tandem-{secret}": ["a-value"] for secret in cloud.SECRETS if secret != "gemma-key"}
    desk.set(fail_at=step, secrets=secrets)

    failed = desk.deploy("my-project", "--yes")
    desk.set(fail_at="")
    done = desk.deploy("my-project", "--yes")

    assert failed.returncode == 1
    assert "run the same command again" in failed.stderr
    assert done.returncode == 0, done.stderr
    assert desk.state["shipped"][-2:] == ["bot prod", "gemma gemma3-12b-l4"]
    assert len(desk.state["buckets"]) == len(desk.state["secrets"]["tandem-gemma-key"]) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["My_Project"], "'My_Project' is not the id of a project"),
        (["my-project", "--environment", "staging"], "There is no environment 'staging': dev, prod."),
        (["my-project", "--overlay", "prd"], "There is no overlay 'prd': dev, prod, prod-http."),
        (["my-project", "--overlay", "prod-http"], "needs a public address, and hostname is ''"),
        (
            ["my-project", "--gemma", "gemma-9-900b"],
            "does not fit 'gemma-9-900b': gemma3-12b-l4, gemma3-12b-l4x4, none.",
        ),
        (
            ["my-project", "--overlay", "dev", "--gemma", "gemma3-12b-l4"],
            "does not fit 'gemma3-12b-l4': gemma-1b-cpu, none.",
        ),
        (["my-project", "--only", "gemma", "--gemma", "none"], "There is no Gemma to ship"),
        (["no-such-project"], "The project no-such-project is not there for you"),
        (["unpaid-project"], "The project unpaid-project has no billing"),
    ],
)
def test_a_wrong_word_is_refused_in_a_sentence_before_anything_is_made(
    desk: Desk, words: list[str], sentence: str
) -> None:
    done = desk.deploy(*words)

    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert desk.changes == []


def test_everything_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    done = desk.deploy("X", "--environment", "y", "--overlay", "z")

    assert len(done.stderr.strip().splitlines()) == 3


def test_what_terraform_refuses_is_refused_before_there_is_a_bucket(desk: Desk) -> None:
    (desk.clone / "terraform/envs/my-project.tfvars").write_text('region = "europe-west99"\n')

    done = desk.deploy("my-project", "--yes")

    assert done.returncode == 1
    assert desk.state["buckets"] == [] and desk.changes == []
    assert any(" plan -input=false" in line for line in desk.journal)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_is_missing_is_named_with_where_to_get_it(desk: Desk, tool: str) -> None:
    (desk.path / "bin" / tool).unlink()

    done = desk.deploy("my-project")

    assert done.returncode == 1 and f"{tool} is missing: " in done.stderr
    assert desk.changes == []


@pytest.mark.parametrize(
    ("login", "sentence"),
    [("logged_in", "gcloud is not logged in"), ("default_login", "Terraform is not logged in")],
)
def test_who_is_not_logged_in_is_told_how_to(desk: Desk, login: str, sentence: str) -> None:
    desk.set(**{login: False})

    done = desk.deploy("my-project")

    assert done.returncode == 1 and sentence in done.stderr
    assert desk.changes == []


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("Dockerfile", ["my-project"]),
        ("deploy/gemma/Dockerfile", ["my-project"]),
        ("k8s/gemma/gemma-1b-cpu/kustomization.yaml", ["my-project", "--environment", "dev"]),
    ],
)
def test_an_image_without_a_digest_is_refused_and_one_that_is_not_used_is_not(
    desk: Desk, file: str, words: list[str]
) -> None:
    text = (desk.clone / file).read_text()
    (desk.clone / file).write_text(re.sub(rf"@{DIGEST}|\n +digest: {DIGEST}", "", text))

    refused = desk.deploy(*words)

    assert refused.returncode == 1 and "is not pinned: run `make pin`" in refused.stderr
    assert desk.changes == []
    assert "is not pinned" not in desk.deploy("my-project", "--only", "infrastructure", "--yes").stderr


def test_modules_profiles_and_overlays_are_those_that_exist() -> None:
    modules = {each["metadata"]["name"]: each for each in yaml.safe_load_all((ROOT / "skaffold.yaml").read_text())}
    paths = [
        path
        for module in modules.values()
        for part in (module, *module.get("profiles", []))
        for path in part.get("manifests", {}).get("kustomize", {}).get("paths", [])
    ]

    assert paths and all((ROOT / path / "kustomization.yaml").is_file() for path in paths)
    assert {profile["name"] for profile in modules["bot"]["profiles"]} == folders("k8s/overlays")
    shapes = {profile["name"] for profile in modules["gemma"]["profiles"]} | {"gemma-1b-cpu"}
    assert shapes == {name for name in folders("k8s/gemma") if name.startswith("gemma")}
    assert [image["image"] for name in modules for image in modules[name].get("build", {}).get("artifacts", [])] == [
        "tandem-bot",
        "gemma",
    ]
    assert "requires" not in modules["bot"], "the bot would wait for Gemma"


def folders(path: str) -> set[str]:
    return {folder.name for folder in (ROOT / path).iterdir() if (folder / "kustomization.yaml").is_file()}


def test_what_is_written_for_one_project_is_not_committed() -> None:
    written = [".skaffold.yaml", "k8s/components/project/project.env", "terraform/envs/my-project.tfvars"]
    done = subprocess.run(
        ["git", "check-ignore", *written], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ)
    )

    assert done.stdout.split() == written
