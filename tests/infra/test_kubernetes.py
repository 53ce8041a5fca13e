"""What each build keeps by itself, and what the namespace and the builds keep together."""

import pytest

from tests.infra.kustomize import APPLIED, OVERLAYS, SERVERS, Tree
from tests.infra.manifests import named, of_kind, pods, selects
from tests.infra.rules import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("folder", APPLIED)
def test_each_build_keeps_the_rules(k8s: Tree, folder: str, rule: Rule) -> None:
    assert list(rule(k8s.build(folder))) == []


def test_the_namespace_refuses_pods_that_are_not_hardened(k8s: Tree) -> None:
    (namespace,) = of_kind(k8s.build("namespace"), "Namespace")

    assert namespace["metadata"]["name"] == "tandem"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_nothing_comes_in_or_goes_out_but_names_where_no_policy_says_so(k8s: Tree) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(k8s.build("namespace"), "NetworkPolicy")}
    addresses = {peer["ipBlock"]["cidr"] for peer in policies["dns"]["egress"][0]["to"] if "ipBlock" in peer}

    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert addresses == {"169.254.169.254/32", "169.254.20.10/32"}
    assert {(port["protocol"], port["port"]) for port in policies["dns"]["egress"][0]["ports"]} == {
        ("UDP", 53),
        ("TCP", 53),
    }
    assert policies["dns"]["podSelector"] == {}
    assert set(policies) == {"default-deny", "dns"}


@pytest.mark.parametrize("server", SERVERS)
def test_only_the_bot_and_the_collector_of_metrics_reach_gemma(k8s: Tree, server: str) -> None:
    (policy,) = of_kind(k8s.build(server), "NetworkPolicy")
    (bot,) = pods(k8s.build("overlays/prod"))
    (rule,) = policy["spec"]["ingress"]
    inside = [peer["podSelector"] for peer in rule["from"] if "podSelector" in peer and "namespaceSelector" not in peer]
    others = [peer for peer in rule["from"] if "podSelector" not in peer]

    assert len(inside) == 1
    assert selects(inside[0], bot.labels)
    assert others == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gke-gmp-system"}}},
    ]


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


def test_over_http_the_app_level_token_is_out_of_reach(k8s: Tree) -> None:
    assert "app-token" not in str(k8s.build("overlays/prod-http")).lower()
    assert "app-token" in str(k8s.build("overlays/prod")).lower()


def test_over_socket_mode_nothing_listens_for_the_world(k8s: Tree) -> None:
    for overlay in ("overlays/prod", "overlays/dev"):
        assert of_kind(k8s.build(overlay), "Gateway", "HTTPRoute", "Service") == []
