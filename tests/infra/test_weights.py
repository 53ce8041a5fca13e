"""The Job that fills the bucket of weights, run against a hub and a bucket that are folders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.kustomize import Tree
from tests.infra.manifests import pods

HUB = """
import os, shutil
class HfApi:
    def model_info(self, repository, revision):
        return type("Info", (), {"sha": f"sha-of-{revision}"})
def snapshot_download(repository, revision, local_dir):
    assert revision.startswith("sha-of-")
    return shutil.copytree(os.path.join(os.environ["HUB"], repository), local_dir, dirs_exist_ok=True)
"""
STORAGE = """
import json, os, pathlib, shutil
ROOT = pathlib.Path(os.environ["BUCKETS"])
class Blob:
    def __init__(self, bucket, name):
        self.name, self.path, self.about = name, ROOT / bucket / name, ROOT / ".about" / name
        self.metadata = json.loads(self.about.read_text()) if self.about.is_file() else None
    def delete(self): self.path.unlink()
    def upload_from_filename(self, filename, checksum, timeout):
        if os.environ.get("BREAKS_AT") == self.name: raise ConnectionError("reset")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.about.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(filename, self.path)
        self.about.write_text(json.dumps(self.metadata))
    def upload_from_string(self, text): self.path.write_text(text)
class Bucket:
    def __init__(self, name): self.name = name
    def blob(self, name): return Blob(self.name, name)
    def list_blobs(self, prefix):
        found = [path for path in (ROOT / self.name / prefix).rglob("*") if path.is_file()]
        return [Blob(self.name, path.relative_to(ROOT / self.name).as_posix()) for path in found]
class Client:
    def bucket(self, name): return Bucket(name)
"""


class Job:
    """Hub, bucket, and the Job's own variables."""

    def __init__(self, folder: Path, k8s: Tree) -> None:
        (pod,) = pods(k8s.build("gemma/weights"))
        self.variables = {variable["name"]: variable["value"] for variable in pod.container["env"]}
        self.program = k8s.root / "gemma/weights/copy_weights.py"
        self.folder = folder
        self.hub = folder / "hub" / self.variables["REPOSITORY"]
        self.bucket = folder / "buckets" / self.variables["WEIGHTS_BUCKET"] / self.variables["MODEL"]
        (folder / "libraries/google/cloud").mkdir(parents=True)
        (folder / "libraries/google/__init__.py").touch()
        (folder / "libraries/google/cloud/__init__.py").touch()
        (folder / "libraries/google/cloud/storage.py").write_text(STORAGE)
        (folder / "libraries/huggingface_hub.py").write_text(HUB)
        for name, text in (("config.json", "{}"), ("model-1.safetensors", "weights"), (".cache/x", "no weights")):
            (self.hub / name).parent.mkdir(parents=True, exist_ok=True)
            (self.hub / name).write_text(text)

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Copy; what it says."""
        paths = {"HOME": "home", "HUB": "hub", "BUCKETS": "buckets", "PYTHONPATH": "libraries"}
        here = {name: str(self.folder / path) for name, path in paths.items()}
        environment = {**os.environ, **self.variables, **here, **variables}
        command = [sys.executable, str(self.program)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    def copied(self) -> set[str]:
        """What is in the bucket."""
        return {path.name for path in self.bucket.rglob("*") if path.is_file()}


@pytest.fixture
def job(tmp_path: Path, k8s: Tree) -> Job:
    """See Job."""
    return Job(tmp_path, k8s)


def test_the_bucket_holds_the_model_and_which_revision_it_is(job: Job) -> None:
    done = job.run()

    assert done.returncode == 0, done.stderr
    assert job.copied() == {"config.json", "model-1.safetensors", "REVISION"}
    assert (job.bucket / "REVISION").read_text() == "google/gemma-3-12b-it@sha-of-main\n"


def test_a_copy_that_breaks_off_is_not_taken_for_a_whole_one(job: Job) -> None:
    broken = job.run(BREAKS_AT="gemma-3-12b-it/model-1.safetensors")

    assert broken.returncode != 0
    assert job.copied() == {"config.json"}
    assert job.run().returncode == 0
    assert "REVISION" in job.copied()


def test_a_new_revision_is_not_called_the_old_one_while_it_is_copied(job: Job) -> None:
    job.run()
    (job.hub / "model-1.safetensors").write_text("weights".upper())
    job.run(REVISION="next", BREAKS_AT="gemma-3-12b-it/model-1.safetensors")

    assert "REVISION" not in job.copied()

    job.run(REVISION="next")

    assert (job.bucket / "model-1.safetensors").read_text() == "WEIGHTS"
    assert (job.bucket / "REVISION").read_text() == "google/gemma-3-12b-it@sha-of-next\n"


def test_what_is_there_is_not_sent_again(job: Job) -> None:
    job.run()
    again = job.run()

    assert "copying" not in again.stdout
    assert "2 files" in again.stdout
