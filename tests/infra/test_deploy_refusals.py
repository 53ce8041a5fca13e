"""`make deploy` says what is wrong or missing, in sentences, before anything is made."""

import re
from pathlib import Path

import pytest

from tests.infra.desk import DIGEST, TOOLS, Desk, set_up


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return set_up(tmp_path)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["My_Project"], "'My_Project' is not the id of a project"),
        (["my-project", "--environment", "staging"], "There is no environment 'staging': dev, prod."),
        (["my-project", "--overlay", "prd"], "There is no overlay 'prd': dev, prod, prod-gemma4, prod-http."),
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


def test_billing_that_cannot_be_asked_about_is_not_called_missing(desk: Desk) -> None:
    desk.set(billing_answers=False)

    done = desk.deploy("my-project")

    assert done.returncode == 1 and "Nobody says whether my-project has billing" in done.stderr
    assert "has no billing" not in done.stderr and desk.changes == []


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
