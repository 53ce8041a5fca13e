"""A build's manifests in, what should not be so out: the rules that each build keeps by itself."""

from collections.abc import Callable, Iterator, Sequence

from tests.infra import pod_rules, traffic_rules
from tests.infra.kustomize import Manifest
from tests.infra.manifests import configured, named, of_kind, pods, selects

Rule = Callable[[Sequence[Manifest]], Iterator[str]]

CLUSTER_WIDE = ("Namespace", "ComputeClass")
LABELS = {f"app.kubernetes.io/{name}" for name in ("name", "component", "part-of")}
SOCKETS = 10  # Slack's limit for an app
SOCKETS_OF_A_POD = 2  # for as long as one replaces the other


def everything_is_in_the_namespace_and_labelled(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Nothing lands in `default`, and everything can be found by its labels."""
    for manifest in manifests:
        metadata = manifest["metadata"]
        if manifest["kind"] not in CLUSTER_WIDE and metadata.get("namespace") != "tandem":
            yield f"{named(manifest)} is in the namespace {metadata.get('namespace')}"
        if manifest["kind"] not in ("Namespace", "NetworkPolicy") and not metadata.get("labels", {}).keys() >= LABELS:
            yield f"{named(manifest)} lacks labels"
    for pod in pods(manifests):
        if not pod.labels.keys() >= LABELS:
            yield f"{pod}'s pods lack labels"


def selectors_take_pods_that_there_are(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Services, budgets, monitors and autoscalers mean pods of the same build; a Deployment its own."""
    found = list(pods(manifests))
    selectors = [
        *((each, each["spec"]["selector"]) for each in of_kind(manifests, "Deployment", "PodDisruptionBudget")),
        *((each, each["spec"]["selector"]) for each in of_kind(manifests, "PodMonitoring")),
        *((each, {"matchLabels": each["spec"]["selector"]}) for each in of_kind(manifests, "Service")),
        *(
            (each, metric["pod"]["selector"])
            for each in of_kind(manifests, "AutoscalingMetric")
            for metric in each["spec"]["metrics"]
        ),
        *((each, each["spec"]["podSelector"]) for each in of_kind(manifests, "NetworkPolicy")),
    ]
    for manifest, selector in selectors:
        if found and not any(selects(selector, pod.labels) for pod in found):
            yield f"{named(manifest)} selects {selector}, which is nobody"


def deployments_roll_and_are_kept(manifests: Sequence[Manifest]) -> Iterator[str]:
    """A budget for each; the bot never loses a replica to a release; nobody waits for a second set of GPUs."""
    budgets = of_kind(manifests, "PodDisruptionBudget")
    for pod in pods(manifests):
        if pod.owner["kind"] != "Deployment":
            continue
        kept = [each["spec"] for each in budgets if selects(each["spec"]["selector"], pod.labels)]
        if [budget.get("maxUnavailable") for budget in kept] != [1]:
            yield f"{pod} has no disruption budget of one"
        strategy = pod.owner["spec"].get("strategy", {})
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        if strategy != (rolling if pod.container["name"] == "tandem" else {"type": "Recreate"}):
            yield f"{pod} is replaced by {strategy}"


def autoscalers_have_a_target_and_a_metric(manifests: Sequence[Manifest]) -> Iterator[str]:
    """The bot has one, by turns in flight; vLLM by what waits; whoever is scaled names no number of replicas."""
    deployments = {each["metadata"]["name"]: each for each in of_kind(manifests, "Deployment")}
    offered = {
        f"autoscaling.gke.io|{each['metadata']['name']}|{metric['gauge']['name']}"
        for each in of_kind(manifests, "AutoscalingMetric")
        for pod in each["spec"]["metrics"]
        for container in pod["pod"]["containers"]
        for metric in container["metrics"]
    }
    scaled = set()
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        scaled.add(target)
        asked = {metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"] if metric["type"] == "Pods"}
        if target not in deployments:
            yield f"{named(scaler)} scales {target}, which is not there"
        elif "replicas" in deployments[target]["spec"]:
            yield f"{target} says how many replicas it has, and so does its autoscaler"
        if not asked or not asked <= offered:
            yield f"{named(scaler)} scales by {asked}, of which {offered} are offered"
    for pod in pods(manifests):
        if pod.container["name"] in ("tandem", "vllm") and pod.owner["metadata"]["name"] not in scaled:
            yield f"{pod} has no autoscaler"


def sockets_suffice(manifests: Sequence[Manifest]) -> Iterator[str]:
    """In Socket Mode, as many replicas as there may ever be have a socket each, and one more while they replace it."""
    if configured(manifests).get("TANDEM_TRANSPORT") != "socket":
        return
    for pod in pods(manifests):
        for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
            surge = pod.owner["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
            if (sockets := (scaler["spec"]["maxReplicas"] + surge) * SOCKETS_OF_A_POD) > SOCKETS:
                yield f"{pod} may come to hold {sockets} sockets, of Slack's {SOCKETS}"


RULES: tuple[Rule, ...] = (
    everything_is_in_the_namespace_and_labelled,
    selectors_take_pods_that_there_are,
    deployments_roll_and_are_kept,
    autoscalers_have_a_target_and_a_metric,
    sockets_suffice,
    pod_rules.pods_are_hardened,
    pod_rules.containers_say_what_they_need,
    pod_rules.images_are_ours_or_of_one_version,
    pod_rules.servers_are_probed,
    pod_rules.pods_have_time_to_end,
    pod_rules.secrets_are_files_of_the_driver,
    pod_rules.gpus_are_what_the_class_has,
    traffic_rules.walls_stand,
    traffic_rules.the_namespace_is_closed,
    traffic_rules.only_the_bot_reaches_gemma,
    traffic_rules.the_world_reaches_one_path,
)
