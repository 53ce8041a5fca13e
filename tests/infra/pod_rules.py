"""A build's manifests in, what should not be so of its pods out."""

import re
from collections.abc import Iterator, Sequence

from tests.infra.kustomize import Manifest
from tests.infra.manifests import arguments, configured, mounted_secrets, of_kind, pods

HARDENED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
LONGEST_LOAD_S = 1800  # a new node, its driver, the weights
HAND_OVER_S = 10  # after the drain: leases released, connections closed


def pods_are_hardened(manifests: Sequence[Manifest]) -> Iterator[str]:
    """No root, no writable root, no capability, no token for the Kubernetes API, nothing of the node."""
    for pod in pods(manifests):
        context = pod.spec.get("securityContext", {})
        if not context.get("runAsNonRoot") or context.get("runAsUser", 0) < 10000:
            yield f"{pod} may run as root, or as somebody of the node"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{pod} has no seccomp profile"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod} mounts a token for the Kubernetes API"
        if pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod} gets variables about services, which look like settings"
        if shared := {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys():
            yield f"{pod} shares {', '.join(shared)} with its node"
        if pod.container.get("securityContext") != HARDENED:
            yield f"{pod}'s container is not hardened"
        if any("hostPath" in volume for volume in pod.spec["volumes"]):
            yield f"{pod} mounts a path of its node"


def containers_say_what_they_need(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Requests of everything; the limit of memory is the request; disks in memory and on the node have a size."""
    for pod in pods(manifests):
        resources = pod.container.get("resources", {})
        asked, allowed = resources.get("requests", {}), resources.get("limits", {})
        for what in ("cpu", "memory", "ephemeral-storage"):
            if what not in asked:
                yield f"{pod} asks for no {what}"
            elif what != "cpu" and allowed.get(what) != asked[what]:
                yield f"{pod} may take another amount of {what} than it asks for"
        if pod.container["name"] == "tandem" and "cpu" in allowed:
            yield f"{pod} has a limit of the CPU, which makes acknowledgements late"
        for volume in pod.spec["volumes"]:
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{pod}'s volume {volume['name']} has no limit"


def images_are_ours_or_of_one_version(manifests: Sequence[Manifest]) -> Iterator[str]:
    """`tandem-bot` and `gemma`, for which Skaffold puts digests in; others in one version, pinned or yet to be."""
    for pod in pods(manifests):
        image = pod.container["image"]
        if image in ("tandem-bot", "gemma"):
            continue
        if not re.fullmatch(r"[\w./-]+:(?!latest)[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?", image):
            yield f"{pod} runs {image}, which is no particular version"


def servers_are_probed(manifests: Sequence[Manifest]) -> Iterator[str]:
    """All three probes, at ports that there are; the bot is asked for ready and alive apart; a model may load long."""
    for pod in pods(manifests):
        if pod.owner["kind"] != "Deployment":
            continue
        ports = {port["name"]: port["containerPort"] for port in pod.container["ports"]}
        probes = {name: pod.container.get(f"{name}Probe") for name in ("startup", "readiness", "liveness")}
        for name, probe in probes.items():
            if probe is None:
                yield f"{pod} has no {name} probe"
            elif probe["httpGet"]["port"] not in ports:
                yield f"{pod}'s {name} probe asks at a port that is not there"
        if None in probes.values():
            continue
        paths = [probes[name]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")]  # type: ignore[index]
        if paths != (["/healthz", "/readyz", "/healthz"] if pod.container["name"] == "tandem" else ["/health"] * 3):
            yield f"{pod}'s probes ask {paths}"
        startup = probes["startup"] or {}
        if pod.container["name"] == "vllm" and startup["periodSeconds"] * startup["failureThreshold"] < LONGEST_LOAD_S:
            yield f"{pod}'s startup probe ends before a model may be loaded"


def pods_have_time_to_end(manifests: Sequence[Manifest]) -> Iterator[str]:
    """The bot: what passes before it hears of its end, its drain, and its goodbyes. vLLM: its shutdown."""
    for pod in pods(manifests):
        grace_s = pod.spec.get("terminationGracePeriodSeconds", 30)
        if pod.container["name"] == "tandem":
            before = pod.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            needed = before + float(configured(manifests)["TANDEM_DRAIN_S"]) + HAND_OVER_S
        elif pod.container["name"] == "vllm":
            needed = float(arguments(pod)["shutdown-timeout"]) + HAND_OVER_S
        else:
            continue
        if grace_s < needed:
            yield f"{pod} has {grace_s} s to end, and may need {needed:.0f}"


def secrets_are_files_of_the_driver(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Each class is used and each used one is there; no Kubernetes Secret, and no secret in an environment."""
    classes = {each["metadata"]["name"] for each in of_kind(manifests, "SecretProviderClass")}
    used: set[str] = set()
    for pod in pods(manifests):
        for volume in pod.spec["volumes"]:
            if "secret" in volume:
                yield f"{pod} mounts a Kubernetes Secret"
            if "csi" in volume:
                used.add(volume["csi"]["volumeAttributes"]["secretProviderClass"])
                if volume["csi"]["driver"] != "secrets-store-gke.csi.k8s.io" or not volume["csi"].get("readOnly"):
                    yield f"{pod}'s volume {volume['name']} is not of GKE's own driver, or not read only"
        mounted = mounted_secrets(pod, manifests)
        for variable in pod.container.get("env", []):
            value = variable.get("value", "")
            if "valueFrom" in variable or re.search(r"(TOKEN|SECRET|KEY)$", variable["name"]):
                yield f"{pod} has a secret in {variable['name']}"
            if re.search(r"(TOKEN|SECRET|KEY)(_FILE|_PATH)$", variable["name"]) and value not in mounted:
                yield f"{pod}'s {variable['name']} names {value}, which is no file of a secret"
    if classes != used and of_kind(manifests, "Deployment", "Job"):
        yield f"classes {sorted(classes)} are there, {sorted(used)} are used"


def gpus_are_what_the_class_has(manifests: Sequence[Manifest]) -> Iterator[str]:
    """On demand, then flex start, then spot; as many GPUs as the pod asks for and the model is split over."""
    classes = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "ComputeClass")}
    for pod in pods(manifests):
        if pod.container["name"] != "vllm":
            continue
        wanted = pod.container["resources"]["limits"].get("nvidia.com/gpu")
        chosen = classes.get(pod.spec.get("nodeSelector", {}).get("cloud.google.com/compute-class", ""))
        if chosen is None:
            yield f"{pod} chooses no compute class of its build"
            continue
        kinds = [_kind_of(priority) for priority in chosen["priorities"]]
        if kinds != ["on demand", "flex start", "spot"]:
            yield f"{pod}'s compute class tries {kinds}"
        counts = {str(priority["gpu"]["count"]) for priority in chosen["priorities"]}
        if not counts == {wanted} == {arguments(pod)["tensor-parallel-size"]}:
            yield f"{pod} asks for {wanted} GPUs, its class has {counts}"


def _kind_of(priority: Manifest) -> str:
    if priority.get("flexStart", {}).get("enabled"):
        return "flex start"
    return "spot" if priority.get("spot") else "on demand"
