"""A build's manifests in, what the checks ask about them out: pods, containers, selectors, settings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from tests.infra.kustomize import Manifest


class Pod(NamedTuple):
    """What a Deployment or a Job makes pods of."""

    owner: Manifest
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def container(self) -> Mapping[str, Any]:
        """Its only container."""
        (container,) = self.spec["containers"]
        return dict(container)

    def __str__(self) -> str:
        return named(self.owner)


def named(manifest: Manifest) -> str:
    """How messages call it."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Those of these kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def pods(manifests: Sequence[Manifest]) -> Iterator[Pod]:
    """The pods that there will be."""
    for manifest in of_kind(manifests, "Deployment", "Job"):
        template = manifest["spec"]["template"]
        yield Pod(manifest, template["metadata"]["labels"], template["spec"])


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector (`{}` takes all) takes pods with these labels."""
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def configured(manifests: Sequence[Manifest]) -> dict[str, str]:
    """What stands in all ConfigMaps."""
    return {name: value for each in of_kind(manifests, "ConfigMap") for name, value in each.get("data", {}).items()}


def settings(manifests: Sequence[Manifest]) -> dict[str, str]:
    """The bot's environment: its ConfigMap, and what stands in its container."""
    (bot,) = (pod for pod in pods(manifests) if pod.owner["metadata"]["name"] == "tandem")
    sources = [source["configMapRef"]["name"] for source in bot.container["envFrom"]]
    maps = [found["data"] for found in of_kind(manifests, "ConfigMap") if found["metadata"]["name"] in sources]
    own = {variable["name"]: variable["value"] for variable in bot.container["env"]}
    return {name: value for each in maps for name, value in each.items()} | own


def secrets(provider_class: Manifest) -> dict[str, str]:
    """The files that a SecretProviderClass makes, each with the id of its secret."""
    listed = yaml.safe_load(provider_class["spec"]["parameters"]["secrets"])
    return {entry["path"]: entry["resourceName"].split("/")[3] for entry in listed}


def mounted_secrets(pod: Pod, manifests: Sequence[Manifest]) -> dict[str, str]:
    """The files of secrets that a pod sees, each with the id of its secret."""
    classes = {each["metadata"]["name"]: secrets(each) for each in of_kind(manifests, "SecretProviderClass")}
    volumes = {each["name"]: each["csi"]["volumeAttributes"] for each in pod.spec["volumes"] if "csi" in each}
    return {
        f"{mount['mountPath']}/{file}": secret
        for mount in pod.container["volumeMounts"]
        if mount["name"] in volumes
        for file, secret in classes.get(volumes[mount["name"]]["secretProviderClass"], {}).items()
    }


def arguments(pod: Pod) -> dict[str, str]:
    """Its container's `--name=value` arguments, with the container's own variables put in."""
    variables = {variable["name"]: variable["value"] for variable in pod.container.get("env", [])}
    found = {}
    for argument in pod.container["args"]:
        for name, value in variables.items():
            argument = argument.replace(f"$({name})", value)
        name, _, value = argument.removeprefix("--").partition("=")
        found[name] = value
    return found
