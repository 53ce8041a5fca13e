"""The world in, where its sides disagree on who is reached where out: ports, paths, names, what GKE brings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.infra.kustomize import HOSTNAME, Manifest
from tests.infra.manifests import Pod, arguments, named, of_kind, pods, selects, settings
from tests.infra.world import World

FRONT_ENDS = {"35.191.0.0/16", "130.211.0.0/22"}


def the_bots_ports_are_its_settings(world: World) -> Iterator[str]:
    """PORT and TANDEM_METRICS_PORT, wherever they are named; and the second is never behind the Gateway."""
    for folder, manifests in world.overlays.items():
        (bot,) = pods(manifests)
        configured = settings(manifests)
        http, metrics = int(configured["PORT"]), int(configured["TANDEM_METRICS_PORT"])
        if _ports(bot) != {"http": http, "metrics": metrics}:
            yield f"{folder}: the container's ports are {_ports(bot)}, the bot listens on {http} and {metrics}"
        for policy in of_kind(manifests, "NetworkPolicy"):
            for rule in policy["spec"].get("ingress", []):
                public = any(peer.get("ipBlock", {}).get("cidr") in FRONT_ENDS for peer in rule["from"])
                if [port["port"] for port in rule["ports"]] != [http if public else metrics]:
                    yield f"{folder}: {named(policy)} lets in to {rule['ports']}"
        for check in of_kind(manifests, "HealthCheckPolicy"):
            if check["spec"]["default"]["config"]["httpHealthCheck"]["port"] != http:
                yield f"{folder}: the load balancer asks for health at another port than {http}"
        for service in of_kind(manifests, "Service"):
            if {port["targetPort"] for port in service["spec"]["ports"]} != {"http"}:
                yield f"{folder}: {named(service)} leads to {service['spec']['ports']}"
        yield from _read_at(metrics, "metrics", manifests, folder)


def gemma_is_reached_where_it_listens(world: World) -> Iterator[str]:
    """The bot's GEMMA_URL, the Service, the container, the server's own argument, and both ends' network policies."""
    for folder, manifests in world.servers.items():
        (server,) = pods(manifests)
        (service,) = of_kind(manifests, "Service")
        (address,) = service["spec"]["ports"]
        listening = int(arguments(server)["port"])
        if _ports(server) != {"http": listening} or address["targetPort"] not in ("http", listening):
            yield f"{folder}: Gemma listens on {listening}, its container says {_ports(server)}, its Service {address}"
        for policy in of_kind(manifests, "NetworkPolicy"):
            if {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]} != {listening}:
                yield f"{folder}: {named(policy)} lets in to another port than {listening}"
        yield from _read_at(listening, "http", manifests, folder)
        for overlay, bots in world.overlays.items():
            wanted = f"http://{service['metadata']['name']}:{address['port']}"
            if settings(bots).get("GEMMA_URL") != wanted:
                yield f"{overlay} asks for Gemma at {settings(bots).get('GEMMA_URL')}, {folder} answers at {wanted}"
            if not _lets_out(bots, server, listening):
                yield f"{overlay} does not let the bot out to {folder}"


def paths_are_served(world: World) -> Iterator[str]:
    """Probes, health checks, the Gateway's route, Cloud Armor and the collectors ask for what the bot answers."""
    asked: dict[str, str] = {}
    for manifests in world.overlays.values():
        for bot in pods(manifests):
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked[probe] = bot.container[probe]["httpGet"]["path"]
        for check in of_kind(manifests, "HealthCheckPolicy"):
            asked[named(check)] = check["spec"]["default"]["config"]["httpHealthCheck"]["requestPath"]
        for route in of_kind(manifests, "HTTPRoute"):
            for rule in route["spec"]["rules"]:
                asked |= {named(route): match["path"]["value"] for match in rule["matches"]}
        for monitor in of_kind(manifests, "PodMonitoring"):
            asked |= {named(monitor): endpoint["path"] for endpoint in monitor["spec"]["endpoints"]}
        for metric in of_kind(manifests, "AutoscalingMetric"):
            asked |= {named(metric): each["endpoint"]["path"] for each in _endpoints(metric)}
    for policy in world.http.all("google_compute_security_policy"):
        if not any(f"request.path == '{asked['HTTPRoute tandem']}'" in str(rule) for rule in policy["rule"]):
            yield f"Cloud Armor does not let through {asked['HTTPRoute tandem']}"
    for who, path in asked.items():
        if path not in world.code.paths:
            yield f"{who} asks for {path}, the bot serves {sorted(world.code.paths)}"


def names_of_http_mode_are_those_that_are_made(world: World) -> Iterator[str]:
    """Address, certificate, Cloud Armor, TLS: by name, since neither side can see the other."""
    manifests = world.overlays["overlays/prod-http"]
    found: dict[str, Any] = {}
    for gateway in of_kind(manifests, "Gateway"):
        found["google_compute_global_address"] = gateway["spec"]["addresses"][0]["value"]
        found["google_certificate_manager_certificate_map"] = gateway["metadata"]["annotations"].get(
            "networking.gke.io/certmap"
        )
    for policy in of_kind(manifests, "GCPBackendPolicy"):
        found["google_compute_security_policy"] = policy["spec"]["default"]["securityPolicy"]
    for policy in of_kind(manifests, "GCPGatewayPolicy"):
        found["google_compute_ssl_policy"] = policy["spec"]["default"]["sslPolicy"]
    for kind, name in found.items():
        made = [resource["name"] for resource in world.http.all(kind)]
        if made != [name]:
            yield f"Kubernetes names the {kind} {name}, terraform makes {made}"
        if world.socket.all(kind):
            yield f"terraform makes a {kind} in Socket Mode, too"
    covered = {each["hostname"] for each in world.http.all("google_certificate_manager_certificate_map_entry")}
    asked = {each["spec"]["listeners"][0]["hostname"] for each in of_kind(manifests, "Gateway")}
    asked |= {name for each in of_kind(manifests, "HTTPRoute") for name in each["spec"]["hostnames"]}
    if len(found) != 4 or covered != asked or asked != {HOSTNAME}:
        yield f"the certificate covers {covered}, the Gateway answers for {asked}"


def the_cluster_brings_what_is_used(world: World) -> Iterator[str]:
    """Add-ons and kinds: an autoscaler's metric, mounted secrets, the Gateway."""
    (cluster,) = world.socket.all("google_container_cluster")
    needs: Mapping[str, tuple[str, Any]] = {
        "AutoscalingMetric": ("pod_autoscaling", [{"hpa_profile": "PERFORMANCE"}]),
        "Gateway": ("gateway_api_config", [{"channel": "CHANNEL_STANDARD"}]),
    }
    kinds = {manifest["kind"] for manifest in world.manifests()}
    for kind, (block, value) in needs.items():
        if kind in kinds and cluster[block] != value:
            yield f"{kind} needs {block} to be {value}, it is {cluster[block]}"
    secrets = (cluster["secret_manager_config"] or [{}])[0]
    if not secrets.get("enabled") or not (secrets.get("rotation_config") or [{}])[0].get("enabled"):
        yield f"mounted secrets, and new versions of them, need the add-on: {secrets}"


def _ports(pod: Pod) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in pod.container["ports"]}


def _endpoints(metric: Manifest) -> list[Manifest]:
    return [container for each in metric["spec"]["metrics"] for container in each["pod"]["containers"]]


def _read_at(port: int, name: str, manifests: Sequence[Manifest], folder: str) -> Iterator[str]:
    for monitor in of_kind(manifests, "PodMonitoring"):
        if {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} != {name}:
            yield f"{folder}: {named(monitor)} reads at {monitor['spec']['endpoints']}"
    for metric in of_kind(manifests, "AutoscalingMetric"):
        if {each["endpoint"]["port"] for each in _endpoints(metric)} != {port}:
            yield f"{folder}: {named(metric)} reads at another port than {port}"


def _lets_out(bots: Sequence[Manifest], server: Pod, port: int) -> bool:
    (bot,) = pods(bots)
    return any(
        {"protocol": "TCP", "port": port} in rule["ports"] and selects(peer["podSelector"], server.labels)
        for policy in of_kind(bots, "NetworkPolicy")
        if selects(policy["spec"]["podSelector"], bot.labels)
        for rule in policy["spec"].get("egress", [])
        for peer in rule["to"]
        if "podSelector" in peer and "namespaceSelector" not in peer
    )
