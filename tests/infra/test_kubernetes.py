"""What each build keeps by itself, and what the namespace and the builds keep together."""

import pytest

from tests.infra.kustomize import APPLIED, OVERLAYS, SERVERS, Tree
from tests.infra.manifests import named, of_kind, pods
from tests.infra.rules import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("folder", APPLIED)
def test_each_build_keeps_the_rules(k8s: Tree, folder: str, rule: Rule) -> None:
    assert list(rule(k8s.build(folder))) == []


@pytest.mark.parametrize("server", SERVERS)
def test_one_gemma_takes_the_place_of_another(k8s: Tree, server: str) -> None:
    manifests = k8s.build(server)

    assert named(of_kind(manifests, "Deployment")[0]) == "Deployment gemma"
    assert named(of_kind(manifests, "Service")[0]) == "Service gemma"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_bot_is_alone_in_its_build_and_never_waits_for_a_gpu(k8s: Tree, overlay: str) -> None:
    (bot,) = pods(k8s.build(overlay))

    assert "nvidia.com/gpu" not in bot.container["resources"]["requests"]
    assert bot.container["image"] == "tandem-bot"


def test_the_namespace_is_in_no_build_that_one_might_remove(k8s: Tree) -> None:
    holding = [folder for folder in APPLIED if of_kind(k8s.build(folder), "Namespace")]

    assert holding == ["namespace"]


def test_over_http_the_app_level_token_is_not_mounted(k8s: Tree) -> None:
    assert "app-token" not in str(k8s.build("overlays/prod-http")).lower()
    assert "app-token" in str(k8s.build("overlays/prod")).lower()


def test_over_socket_mode_nothing_listens_for_the_world(k8s: Tree) -> None:
    for overlay in ("overlays/prod", "overlays/dev"):
        assert of_kind(k8s.build(overlay), "Gateway", "HTTPRoute", "Service") == []
