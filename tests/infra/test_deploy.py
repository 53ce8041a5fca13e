"""`make deploy`: from an empty project to a bot and a Gemma; secrets stay secret, and any failure can be repeated."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.infra import cloud
from tests.infra.desk import Desk, set_up
from tests.infra.image import ROOT


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return set_up(tmp_path)


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


def test_what_has_not_changed_is_not_started_again(ready: Desk) -> None:
    ready.deploy("my-project", "--yes")
    ready.deploy("my-project", "--yes")

    assert ready.state["shipped"] == ["bot prod", "gemma gemma3-12b-l4"] * 2
    assert {module: len(labels) for module, labels in ready.state["pods"].items()} == {
        "bot": 1,
        "weights": 1,
        "gemma": 1,
    }
    assert len({label for labels in ready.state["pods"].values() for label in labels}) == 3, "each is waited for alone"


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


def test_a_cluster_that_does_not_know_how_the_bot_scales_is_told_before_anything_is_shipped(ready: Desk) -> None:
    ready.set(scales_by="")

    done = ready.deploy("my-project", "--yes")

    assert done.returncode == 1 and "takes GKE 1.35.1 or newer" in done.stderr
    assert not any("skaffold run" in line for line in ready.journal)


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
