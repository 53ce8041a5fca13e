"""The configuration is well-formed, makes what the code needs, and gives nobody more than they need. Offline."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.store import indexes
from tests.infra.provider import schema
from tests.infra.provider.terraform import NUMBER, PROJECT, Plan, Terraform, need_terraform, terraform_in_a_copy

SOURCE = Path(__file__).parents[2] / "terraform"
HTTP = "tandem.example.com"

# Everything that anybody is granted, and on what. A line more is a question: who needs it?
GRANTS = {
    ("project", "roles/container.defaultNodeServiceAccount", "nodes"),
    ("project", "roles/logging.logWriter", "build"),
    ("project", "tandemAskModels", "tandem"),
    ("project, if the database is tandem", "roles/datastore.user", "tandem"),
    ("repository tandem", "roles/artifactregistry.reader", "nodes"),
    ("repository tandem", "roles/artifactregistry.writer", "build"),
    ("bucket cloudbuild", "roles/storage.objectViewer", "build"),
    ("bucket weights", "roles/storage.objectViewer", "gemma"),
    ("bucket weights", "roles/storage.objectUser", "weights"),
    ("secret tandem-slack-bot-token", "roles/secretmanager.secretAccessor", "tandem"),
    ("secret tandem-slack-app-token", "roles/secretmanager.secretAccessor", "tandem"),
    ("secret tandem-slack-signing-secret", "roles/secretmanager.secretAccessor", "tandem"),
    ("secret tandem-gemma-key", "roles/secretmanager.secretAccessor", "tandem"),
    ("secret tandem-gemma-key", "roles/secretmanager.secretAccessor", "gemma"),
    ("secret tandem-hf-token", "roles/secretmanager.secretAccessor", "weights"),
}


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    with terraform_in_a_copy(SOURCE, tmp_path_factory.mktemp("terraform")) as terraform:
        yield terraform


@pytest.fixture(scope="module")
def plan(terraform: Terraform) -> Plan:
    return terraform.plan()


def test_it_is_in_its_one_form() -> None:
    need_terraform()
    formatted = subprocess.run(["terraform", f"-chdir={SOURCE}", "fmt", "-check", "-recursive"], capture_output=True)

    assert formatted.stdout == b""
    assert formatted.returncode == 0


def test_it_is_valid_for_the_provider_that_it_asks_for(terraform: Terraform) -> None:
    validated = terraform("validate")
    wanted = re.findall(r'version = "~> (\d+)\.\d+"', (SOURCE / "versions.tf").read_text("utf-8"))

    assert (validated.returncode, validated.stderr) == (0, "")
    assert wanted == [schema.version().partition(".")[0]]


def test_every_word_is_one_that_the_provider_takes(terraform: Terraform) -> None:
    """What `validate` of the real provider would say; the stand-in knows types, not words."""
    plan = terraform.plan(hostname=HTTP)
    allowed = schema.words(schema.used(SOURCE))
    given = [
        (address, argument, word, allowed[address.partition(".")[0], argument])
        for address, resource in plan.resources.items()
        for argument, word in _words(resource)
        if (address.partition(".")[0], argument) in allowed
    ]

    assert len(given) > 50
    assert [wrong for wrong in given if wrong[2] not in wrong[3]] == []


@pytest.mark.parametrize("file", sorted((SOURCE / "tests").glob("*.tftest.hcl")), ids=lambda file: file.name)
def test_its_own_tests_pass(terraform: Terraform, file: Path) -> None:
    tested = terraform("test", f"-filter=tests/{file.name}")

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert " 0 failed" in tested.stdout


@pytest.mark.parametrize(("environment", "protected"), [("dev", False), ("prod", True)])
def test_each_environment_is_protected_as_it_should_be(terraform: Terraform, environment: str, protected: bool) -> None:
    plan = terraform.plan(f"-var-file={SOURCE}/envs/{environment}.tfvars")

    assert plan.resources["google_container_cluster.tandem"]["deletion_protection"] is protected
    assert bool(plan.all("google_firestore_backup_schedule")) is protected


def test_silence_of_a_gemma_without_gpus_alarms_nobody(terraform: Terraform) -> None:
    plan = terraform.plan(f"-var-file={SOURCE}/envs/dev.tfvars")

    assert [address for address in plan.resources if '"Gemma' in address] == []


def test_every_composite_index_of_the_store_is_made_and_no_other(plan: Plan) -> None:
    made = {
        (index["collection"], tuple((field["field_path"], field["order"]) for field in index["fields"]))
        for index in plan.all("google_firestore_index")
    }

    assert made == {(index.collection, index.fields) for index in indexes.COMPOSITE}


def test_every_collection_of_the_store_expires_and_no_other(plan: Plan) -> None:
    expiring = {(field["collection"], field["field"]) for field in _fields(plan, "expiring") if field["ttl_config"]}

    assert expiring == {(collection, indexes.TTL_FIELD) for collection in indexes.TTL}


def test_exactly_what_the_store_never_asks_for_is_in_no_index(plan: Plan) -> None:
    unindexed = {
        (field["collection"], field["field"])
        for field in plan.all("google_firestore_field")
        if field["index_config"] == [{"indexes": []}]
    }

    assert unindexed == {*indexes.UNINDEXED, *((collection, indexes.TTL_FIELD) for collection in indexes.TTL)}


def test_what_is_asked_for_across_threads_keeps_its_automatic_indexes_too(plan: Plan) -> None:
    made = {
        (field["collection"], field["field"]): {
            (index["query_scope"], index["order"] or index["array_config"])
            for index in field["index_config"][0]["indexes"]
        }
        for field in _fields(plan, "across_threads")
    }
    automatic = {("COLLECTION", kind) for kind in ("ASCENDING", "DESCENDING", "CONTAINS")}

    assert made == {
        (index.collection, index.field): automatic | {("COLLECTION_GROUP", "ASCENDING")}
        for index in indexes.COLLECTION_GROUP
    }


@pytest.mark.parametrize("hostname", ["", HTTP])
def test_nobody_is_granted_more_than_they_need(terraform: Terraform, hostname: str) -> None:
    assert set(_grants(terraform.plan(hostname=hostname))) == GRANTS


def test_no_secret_has_a_value_in_the_state(plan: Plan) -> None:
    text = "".join(path.read_text("utf-8") for path in SOURCE.glob("*.tf"))

    assert plan.all("google_secret_manager_secret")
    assert "google_secret_manager_secret_version" not in text
    assert not re.search(r"\bsecret_data\b|\bsensitive_labels\b", text)


def test_no_bucket_can_be_made_public(plan: Plan) -> None:
    buckets = plan.all("google_storage_bucket")

    assert len(buckets) == 2
    for bucket in buckets:
        assert (bucket["public_access_prevention"], bucket["uniform_bucket_level_access"]) == ("enforced", True)


def test_identities_wait_for_the_cluster_that_brings_them() -> None:
    """A grant to a pod's identity is refused while the project has no cluster yet."""
    blocks = [
        block
        for path in SOURCE.glob("*.tf")
        for block in re.findall(r"^resource .*?^}", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        if re.search(r"member\s+= local\.principals", block)
    ]

    assert len(blocks) == 5
    assert [block for block in blocks if "google_container_cluster.tandem" not in block] == []


def test_every_api_that_a_resource_needs_is_enabled_first() -> None:
    """Whatever refers to nothing else of ours has to wait for the APIs by itself."""
    waits = {}
    for path in sorted(SOURCE.glob("*.tf")):
        for name, block in re.findall(
            r'^resource "(\w+" "\w+)" \{(.*?)^}', path.read_text("utf-8"), re.DOTALL | re.MULTILINE
        ):
            waits[name] = bool(re.search(r"\b(google_\w+\.\w+|local\.(principals|deployers_of_buckets))", block))
    waits.pop('google_project_service" "this')

    assert [name for name, waiting in waits.items() if not waiting] == []


def test_the_outputs_say_where_everything_is(terraform: Terraform) -> None:
    outputs = terraform.plan(hostname=HTTP).outputs

    assert outputs["image_repository"] == f"europe-west4-docker.pkg.dev/{PROJECT}/tandem"
    assert outputs["bot_principal"] == (
        f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/"
        f"{PROJECT}.svc.id.goog/subject/ns/tandem/sa/tandem"
    )
    assert outputs["get_credentials"].endswith("--dns-endpoint")
    assert outputs["secret_ids"] == sorted(
        kind.removeprefix("secret ") for kind, _, reader in GRANTS if kind.startswith("secret ") and reader != "gemma"
    )


def _words(value: Any, argument: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a resource, with the name of the argument that it stands in."""
    if isinstance(value, str):
        yield argument, value
    for name, inner in value.items() if isinstance(value, dict) else []:
        yield from _words(inner, name)
    for inner in value if isinstance(value, list) else []:
        yield from _words(inner, argument)


def _fields(plan: Plan, name: str) -> list[Mapping[str, Any]]:
    return [field for address, field in plan.resources.items() if address.startswith(f"google_firestore_field.{name}[")]


def _grants(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for address, grant in plan.resources.items():
        if "_iam_" in address and not address.startswith("google_project_iam_custom_role."):
            who = re.fullmatch(r"(?:principal:.*/sa/|serviceAccount:tandem-)([\w-]+)(?:@.*)?", grant["member"])
            assert who, f"{address} grants something to {grant['member']}"
            yield _what(grant), grant["role"].removeprefix(f"projects/{PROJECT}/roles/"), who[1]


def _what(grant: Mapping[str, Any]) -> str:
    if "bucket" in grant:
        return f"bucket {re.split('[-_]', grant['bucket'])[-1]}"
    for kind, name in (("secret", "secret_id"), ("repository", "repository")):
        if name in grant:
            return f"{kind} {grant[name]}"
    database = f'resource.name == "projects/{PROJECT}/databases/tandem"'
    only = [condition["expression"] for condition in grant["condition"]]
    return {(): "project", (database,): "project, if the database is tandem"}[tuple(only)]
