"""What checkov knows to be unsafe is in none of our files, beyond a short list with a reason for each."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.infra.kustomize import APPLIED, ROOT, Tree, missing

CHECKOV = Path(sys.executable).parents[1] / "checkov/bin/checkov"
DIGEST = "sha256:" + "0" * 64

# Those of Terraform stand in its files, beside the resource that they are about.
ACCEPTED = {
    "CKV_DOCKER_2": "HEALTHCHECK: Kubernetes has its own probes and reads none from an image.",
    "CKV_K8S_11": "Limits of the CPU: they would only make acknowledgements late; requests share the CPU fairly.",
    "CKV_K8S_15": "Always pull: images are named by digest, which is always the same image.",
    "CKV_K8S_43": "Digests: `make pin` writes llama.cpp's, and `make deploy` refuses it without; nobody makes one up.",
}


def written(k8s: Tree, folder: Path) -> Path:
    """All files as checkov wants them: manifests as they are applied, with the images that Skaffold puts in."""
    for applied in APPLIED:
        text = yaml.dump_all(k8s.build(applied))
        for name in ("tandem-bot", "gemma"):
            text = text.replace(f"image: {name}\n", f"image: europe-west4-docker.pkg.dev/p/tandem/{name}@{DIGEST}\n")
        (folder / "k8s" / applied.replace("/", "-")).mkdir(parents=True)
        (folder / "k8s" / applied.replace("/", "-") / "all.yaml").write_text(text)
    shutil.copytree(ROOT / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform*", "tests"))
    for dockerfile in ("Dockerfile", "deploy/gemma/Dockerfile"):
        (folder / dockerfile).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / dockerfile, folder / dockerfile)
    return folder


def failed(folder: Path) -> dict[str, list[str]]:
    """What checkov finds: its checks' ids, each with where; nothing is asked of any network."""
    if not CHECKOV.is_file():
        missing("checkov is missing: `make infra` installs it.")
    command = [str(CHECKOV), "--skip-download", "--quiet", "--compact", "--output=json", f"--directory={folder}"]
    frameworks = ["--framework", "kubernetes", "terraform", "dockerfile"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run([*command, *frameworks], capture_output=True, text=True, env=environment, timeout=120)
    reports: list[Mapping[str, Any]] = json.loads(done.stdout)
    assert {report["check_type"] for report in reports} == {"kubernetes", "terraform", "dockerfile"}, done.stderr
    assert all(report["summary"]["passed"] and not report["summary"]["parsing_errors"] for report in reports)
    found: dict[str, list[str]] = {}
    for check in (check for report in reports for check in report["results"]["failed_checks"]):
        found.setdefault(check["check_id"], []).append(f"{check['file_path']} {check['resource']}")
    return found


def test_checkov_finds_nothing_but_what_is_accepted_with_a_reason(k8s: Tree, tmp_path: Path) -> None:
    found = failed(written(k8s, tmp_path))

    assert {check: where for check, where in found.items() if check not in ACCEPTED} == {}
    assert ACCEPTED.keys() - found.keys() <= {"CKV_K8S_43"}, "no longer needed: take it off the list"
    assert all("gemma-1b-cpu" in where for where in found.get("CKV_K8S_43", []))


def test_checkov_sees_what_is_put_wrong_in_each_kind_of_file(k8s: Tree, tmp_path: Path) -> None:
    folder = written(k8s, tmp_path)
    changes = [
        ("Dockerfile", "USER 65532:65532", "USER root", "CKV_DOCKER_8"),
        (
            "k8s/overlays-prod/all.yaml",
            "allowPrivilegeEscalation: false",
            "allowPrivilegeEscalation: true",
            "CKV_K8S_20",
        ),
        ("terraform/weights.tf", 'public_access_prevention    = "enforced"', "", "CKV_GCP_114"),
    ]
    for file, right, wrong, _ in changes:
        text = (folder / file).read_text("utf-8")
        assert right in text
        (folder / file).write_text(text.replace(right, wrong))

    found = failed(folder)

    assert {check for *_, check in changes} <= found.keys()


def test_every_check_that_terraform_leaves_out_says_why() -> None:
    skips = [
        line.strip().partition("checkov:skip=")[2]
        for file in (ROOT / "terraform").rglob("*.tf")
        for line in file.read_text("utf-8").splitlines()
        if "checkov:skip=" in line
    ]

    assert skips
    assert [skip for skip in skips if len(skip.partition(":")[2]) < 30] == []
