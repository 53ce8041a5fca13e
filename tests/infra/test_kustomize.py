"""Every overlay, every Gemma and every combination of components can be built, and is what its kinds allow."""

from itertools import product

import pytest

from tests.infra.kustomize import APPLIED, HOSTNAME, K8S, PROJECT_ID, WEIGHTS_BUCKET, BuildFailed, Tree
from tests.infra.validation import invalid, invalid_by_definition

GEMMA = ("", "gemma", "gemma4-12b", "gemma-1b")
DEFINED = ("ComputeClass", "GCPBackendPolicy", "GCPGatewayPolicy", "HealthCheckPolicy", "Gateway", "HTTPRoute")
COMBINATIONS = [
    [*filter(None, (door, gemma)), "project", *(["without-gemini"] if alone else [])]
    for door, gemma, alone in product(("", "http"), GEMMA, (False, True))
    if gemma or not alone  # a bot without any model has nothing to say
] + [["traces", "project"], ["http", "gemma", "traces", "project"]]


@pytest.mark.parametrize("folder", APPLIED)
def test_what_is_applied_can_be_built_and_is_valid(k8s: Tree, folder: str) -> None:
    manifests = k8s.build(folder)

    assert manifests
    assert [problem for manifest in manifests for problem in invalid(manifest)] == []


@pytest.mark.parametrize("components", COMBINATIONS, ids="+".join)
def test_components_can_be_combined(spoilable_k8s: Tree, components: list[str]) -> None:
    manifests = spoilable_k8s.compose(components)

    assert [problem for manifest in manifests for problem in invalid(manifest)] == []


def test_every_component_is_in_a_combination() -> None:
    there = {path.parent.name for path in (K8S / "components").glob("*/kustomization.yaml")}

    assert there == {component for components in COMBINATIONS for component in components}


def test_googles_own_definitions_allow_what_is_applied(k8s: Tree) -> None:
    manifests = [manifest for folder in APPLIED for manifest in k8s.build(folder)]
    checked, problems = invalid_by_definition(manifests)

    assert problems == []
    assert checked == sum(manifest["kind"] in DEFINED for manifest in manifests) > len(DEFINED)


@pytest.mark.parametrize("folder", APPLIED)
def test_no_name_is_there_twice_and_no_blank_is_left(k8s: Tree, folder: str) -> None:
    manifests = k8s.build(folder)
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]

    assert len(set(names)) == len(names)
    for blank in ("PROJECT_ID/", "=PROJECT_ID", "value: WEIGHTS_BUCKET", "HOSTNAME"):
        assert blank not in str(manifests).replace("'", ""), "components/project fills it in"


def test_the_projects_values_come_from_one_file(k8s: Tree) -> None:
    bot, gemma = str(k8s.build("overlays/prod-http")), str(k8s.build("gemma/gemma3-12b-l4"))

    assert f"firestore://{PROJECT_ID}/" in bot
    assert f"projects/{PROJECT_ID}/secrets/" in bot
    assert HOSTNAME in bot
    assert WEIGHTS_BUCKET in gemma


def test_without_that_file_nothing_can_be_built(spoilable_k8s: Tree) -> None:
    (spoilable_k8s.root / "components/project/project.env").unlink()

    with pytest.raises(BuildFailed, match=r"project\.env"):
        spoilable_k8s.build("overlays/prod")


def test_the_sample_of_that_file_names_the_same_values(k8s: Tree) -> None:
    sample, made = (
        {line.partition("=")[0] for line in (k8s.root / "components/project" / name).read_text("utf-8").splitlines()}
        for name in ("project.env.sample", "project.env")
    )

    assert {name for name in sample if not name.startswith("#")} == made
