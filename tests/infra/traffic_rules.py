"""A build's manifests in, what should not be so of who may talk to whom out."""

from collections.abc import Iterator, Sequence

from tests.infra.kustomize import Manifest
from tests.infra.manifests import named, of_kind, pods, selects

NAME_SERVERS = ("kube-dns", "node-local-dns")
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
    return (
        way == "egress"
        and set(block.get("except", [])) == PRIVATE
        and [port["port"] for port in rule.get("ports", [])] == [443]
    )


def the_namespace_is_closed(manifests: Sequence[Manifest]) -> Iterator[str]:
    """It refuses pods that are not hardened, and lets nothing through but questions for names, to the node."""
    for namespace in of_kind(manifests, "Namespace"):
        if namespace["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{named(namespace)} takes pods of any kind"
        closed = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "NetworkPolicy")}
        if closed.pop("default-deny", None) != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
            yield f"{named(namespace)} is open where no policy says otherwise"
        asked = {(port["protocol"], port["port"]) for rule in closed["dns"]["egress"] for port in rule["ports"]}
        peers = [peer for rule in closed["dns"]["egress"] for peer in rule["to"]]
        nodes = {peer["ipBlock"]["cidr"] for peer in peers if "ipBlock" in peer}
        if set(closed) != {"dns"} or asked != {("UDP", 53), ("TCP", 53)} or closed["dns"]["podSelector"]:
            yield f"{named(namespace)} lets through more, or less, than questions for names"
        if nodes != {"169.254.169.254/32", "169.254.20.10/32"}:
            yield f"{named(namespace)} asks for names at {nodes}: Autopilot answers at the node's own addresses"
        if [peer for peer in peers if "ipBlock" not in peer] != [_in_kube_system(app) for app in NAME_SERVERS]:
            yield f"{named(namespace)} asks other pods for names than {NAME_SERVERS}"


def _in_kube_system(app: str) -> Manifest:
    system = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    return {"namespaceSelector": system, "podSelector": {"matchLabels": {"k8s-app": app}}}


def only_the_bot_reaches_gemma(manifests: Sequence[Manifest]) -> Iterator[str]:
    """And the collector of metrics."""
    allowed = [
        {"podSelector": {"matchLabels": {"app": "tandem"}}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gke-gmp-system"}}},
    ]
    for pod in pods(manifests):
        for policy in of_kind(manifests, "NetworkPolicy"):
            if pod.labels["app"] == "gemma" and selects(policy["spec"]["podSelector"], pod.labels):
                peers = [peer for rule in policy["spec"].get("ingress", []) for peer in rule.get("from", [])]
                if peers != allowed:
                    yield f"{named(policy)} lets {peers} reach Gemma"


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
