"""A build's manifests in, what should not be so of who may talk to whom out."""

from collections.abc import Iterator, Sequence

from tests.infra.kustomize import Manifest
from tests.infra.manifests import named, of_kind, pods, selects

PRIVATE = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"}


def walls_stand(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Each pod has a policy for both directions; none allows all; out into the world goes TLS, and nothing private."""
    policies = of_kind(manifests, "NetworkPolicy")
    for pod in pods(manifests):
        about = [each["spec"] for each in policies if selects(each["spec"]["podSelector"], pod.labels)]
        if {way for spec in about for way in spec["policyTypes"]} != {"Ingress", "Egress"}:
            yield f"{pod} has no network policy for both directions"
    for policy in policies:
        for way, peers in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(way, []):
                if not rule.get(peers) or not rule.get("ports"):
                    yield f"{named(policy)} allows {way} without saying who or where"
                for block in (peer["ipBlock"] for peer in rule.get(peers, []) if "ipBlock" in peer):
                    if block["cidr"] == "0.0.0.0/0" and not _world(way, block, rule):
                        yield f"{named(policy)} opens {way} too far: {block}"


def _world(way: str, block: Manifest, rule: Manifest) -> bool:
    return way == "egress" and set(block.get("except", [])) == PRIVATE and [p["port"] for p in rule["ports"]] == [443]


def the_world_reaches_one_path(manifests: Sequence[Manifest]) -> Iterator[str]:
    """HTTPS with a certificate and Cloud Armor; exactly Slack's path; services are the cluster's own."""
    for service in of_kind(manifests, "Service"):
        if service["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"{named(service)} is a {service['spec']['type']}"
    for gateway in of_kind(manifests, "Gateway"):
        ways = [(each["protocol"], each["port"]) for each in gateway["spec"]["listeners"]]
        if ways != [("HTTPS", 443)] or "networking.gke.io/certmap" not in gateway["metadata"].get("annotations", {}):
            yield f"{named(gateway)} listens to {ways}, or has no certificate"
        if not of_kind(manifests, "GCPBackendPolicy") or not of_kind(manifests, "HealthCheckPolicy"):
            yield f"{named(gateway)} has no policy for its backend or its health"
    for route in of_kind(manifests, "HTTPRoute"):
        paths = [match["path"] for rule in route["spec"]["rules"] for match in rule["matches"]]
        if paths != [{"type": "Exact", "value": "/slack/events"}]:
            yield f"{named(route)} lets in {paths}"
