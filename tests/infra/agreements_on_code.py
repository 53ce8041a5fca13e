"""The world in, where the code and its surroundings disagree out: settings, indexes, metrics, models, images."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot.config import load_settings
from bot.conversation.mirror import ThreadStore, TurnStore
from bot.errors import ConfigError
from bot.llm.catalogue import load_catalogue
from bot.telemetry.names import Metric
from tests.infra.kustomize import APPLIED, PROJECT_ENV
from tests.infra.manifests import arguments, mounted_secrets, of_kind, pods, settings
from tests.infra.provider.terraform import PROJECT
from tests.infra.world import World

# What a secret's value may look like: enough for the settings to take it.
VALUES = {"tandem-slack-bot-token": "xoxb-made-up", "tandem-slack-app-token": "xapp-made-up"}
VLLM = {"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"}


def settings_are_settings(world: World) -> Iterator[str]:
    """Every variable of the bot's container is one that it reads."""
    known = world.code.variables | {f"{name}_FILE" for name in world.code.variables}
    for folder, manifests in world.overlays.items():
        if unknown := settings(manifests).keys() - known:
            yield f"{folder} sets {sorted(unknown)}, which the bot does not know"


def the_bot_starts_with_its_settings(world: World) -> Iterator[str]:
    """All of them together are what `tandem serve` wants, the secrets being files that are there."""
    for folder, manifests in world.overlays.items():
        (bot,) = pods(manifests)
        given = settings(manifests)
        with tempfile.TemporaryDirectory() as scratch:
            for number, (path, secret) in enumerate(mounted_secrets(bot, manifests).items()):
                file = Path(scratch, str(number))
                file.write_text(VALUES.get(secret, "made-up"))
                given = {name: str(file) if value == path else value for name, value in given.items()}
            for name, text in _mounted_texts(world, folder).items():
                Path(scratch, name).write_text(text)
                given = {key: value.replace(f"/etc/tandem/{name}", f"{scratch}/{name}") for key, value in given.items()}
            try:
                load_settings(given, dotenv=Path(scratch, "none"), to_serve=True)
            except ConfigError as error:
                yield f"{folder}: {error}"


def the_stores_queries_have_their_indexes(world: World) -> Iterator[str]:
    """Each query that needs an index that Firestore does not make by itself has it; and each that is made is needed."""
    made = {
        (index["collection"], tuple(each["field_path"] for each in index["fields"]))
        for index in world.socket.all("google_firestore_index")
    }
    needed = {(query.collection, query.fields) for query in world.code.queries if query.needs_composite}
    if made != needed:
        yield f"queries need the indexes {sorted(needed)}, terraform makes {sorted(made)}"
    across = {(query.collection, query.fields[0]) for query in world.code.queries if query.across}
    fields = world.socket.all("google_firestore_field")
    everywhere = {
        (each["collection"], each["field"])
        for each in fields
        for index in each["index_config"][0]["indexes"]
        if index["query_scope"] == "COLLECTION_GROUP"
    }
    if across != everywhere:
        yield f"queries across threads ask by {sorted(across)}, terraform indexes {sorted(everywhere)}"
    closed = {(each["collection"], each["field"]) for each in fields if each["index_config"] == [{"indexes": []}]}
    for query in world.code.queries:
        if unserved := {(query.collection, name) for name in query.fields} & closed:
            yield f"a query asks by {sorted(unserved)}, which terraform takes out of every index"


def what_expires_is_deleted(world: World) -> Iterator[str]:
    """The field and the collections of the store's time to live."""
    deleted = {
        (each["collection"], each["field"]) for each in world.socket.all("google_firestore_field") if each["ttl_config"]
    }
    if deleted != world.code.expiring:
        yield f"the store writes {sorted(world.code.expiring)}, Firestore deletes by {sorted(deleted)}"


def metrics_are_exported(world: World) -> Iterator[str]:
    """Every name and label in alerts, dashboard and autoscalers is one that the code exports."""
    for query in _queries(world):
        labelled = {"le", "namespace", "pod"}
        for name, labels in re.findall(r"\b(tandem_[a-z_]+)(?:\{([^}]*)\})?", query):
            metric = world.code.metrics.get(re.sub(r"_(bucket|sum|count)$", "", name)) or world.code.metrics.get(name)
            if metric is None:
                yield f"nobody exports {name}, which is asked for in {query}"
                continue
            labelled |= {*metric.labels}
            for label, text in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', labels):
                if label not in {*metric.labels, "namespace", "pod"}:
                    yield f"{name} has no label {label}"
                if (words := _values(metric, label)) and not words >= {*text.split("|")}:
                    yield f"{name}'s {label} is never {text}"
        if wrong := set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", query)))) - labelled:
            yield f"nothing has the labels {sorted(wrong)} in {query}"
        if unknown := set(re.findall(r"vllm:\w+", query)) - VLLM:
            yield f"vLLM exports no {sorted(unknown)}"
    for manifest in of_kind(world.manifests(), "AutoscalingMetric"):
        for name in re.findall(r"'prometheusMetricName': '([^']+)'", str(manifest)):
            known = name in VLLM or (name in world.code.metrics and world.code.metrics[name].kind == "gauge")
            if not known:
                yield f"an autoscaler reads {name}, which is no gauge that anybody exports"


def catalogues_fit_their_servers(world: World) -> Iterator[str]:
    """The context that the bot fills is what the server gives, and all models but Gemma are as Tandem has them."""
    for component, servers in world.code.gemmas.items():
        own = world.tree.root / "components" / component / "models.toml"
        gemma, *others = load_catalogue(own if own.is_file() else None)
        if others != list(load_catalogue()[1:]):
            yield f"{component} describes other models than bot/llm/models.toml"
        for server in servers:
            (pod,) = pods(world.tree.build(f"gemma/{server}"))
            given = arguments(pod)
            context = int(given.get("max-model-len") or int(given["ctx-size"]) // int(given["parallel"]))
            if gemma.entry.context_tokens != context:
                yield f"{component} fills {gemma.entry.context_tokens} tokens, {server} takes {context}"
    served = {f"gemma/{server}" for servers in world.code.gemmas.values() for server in servers}
    if served != world.servers.keys():
        yield f"`make deploy` fits {sorted(served)} to the bot, there are {sorted(world.servers)}"


def images_are_built_and_shipped(world: World) -> Iterator[str]:
    """Skaffold builds each image that has no place of its own, and ships folders that there are."""
    built = {each["image"] for module in world.skaffold for each in module.get("build", {}).get("artifacts", [])}
    used = {pod.container["image"] for pod in pods(world.manifests())}
    bare = {image for image in used if "/" not in image}
    if built != bare:
        yield f"Skaffold builds {sorted(built)}, manifests run {sorted(bare)}"
    shipped = set(re.findall(r"'k8s/([\w./-]+)'", str(world.skaffold)))
    if wrong := shipped - set(APPLIED):
        yield f"Skaffold ships {sorted(wrong)}, which cannot be applied"


def builds_and_deploys_name_what_is_made(world: World) -> Iterator[str]:
    """Cloud Build's account and bucket in skaffold.yaml; the secrets and the weights that `make deploy` looks for."""
    (account,) = (each for each in world.socket.all("google_service_account") if each["account_id"] != "tandem-nodes")
    email = f"{account['account_id']}@{PROJECT}.iam.gserviceaccount.com"
    buckets = {each["name"] for each in world.socket.all("google_storage_bucket")}
    for module in world.skaffold:
        if build := module.get("build"):
            cloud = {key: str(value).replace("PROJECT_ID", PROJECT) for key, value in build["googleCloudBuild"].items()}
            if (
                cloud["serviceAccount"] != f"projects/{PROJECT}/serviceAccounts/{email}"
                or cloud["bucket"] not in buckets
            ):
                yield f"Skaffold builds as {cloud['serviceAccount']} from {cloud['bucket']}, terraform makes {email}"
    secrets = {each["secret_id"] for each in world.socket.all("google_secret_manager_secret")}
    if world.code.secrets != secrets:
        yield f"`make deploy` fills {sorted(world.code.secrets)}, terraform makes {sorted(secrets)}"
    served = {
        folder.removeprefix("gemma/"): arguments(pod)["served-model-name"]
        for folder, manifests in world.servers.items()
        for pod in pods(manifests)
        if pod.container["name"] == "vllm"
    }
    if world.code.models != served:
        yield f"`make deploy` looks for the weights {world.code.models}, servers read {served}"


def the_projects_values_are_outputs(world: World) -> Iterator[str]:
    """What components/project asks for is what terraform says, under the same names."""
    wanted = dict(line.split("=", 1) for line in PROJECT_ENV.splitlines())
    said = {name: world.http.outputs.get(name.lower()) for name in wanted}
    if said != wanted:
        yield f"project.env holds {wanted}, terraform says {said}"


def _queries(world: World) -> Iterator[str]:
    for alert in world.socket.all("google_monitoring_alert_policy"):
        for condition in alert["conditions"]:
            yield condition["condition_prometheus_query_language"][0]["query"]
    for board in world.socket.all("google_monitoring_dashboard"):
        for tile in json.loads(board["dashboard_json"])["mosaicLayout"]["tiles"]:
            for line in tile["widget"]["xyChart"]["dataSets"]:
                yield line["timeSeriesQuery"]["prometheusQuery"]


def _values(metric: Metric, label: str) -> set[str]:
    """All that a label may be, as far as the code says so: in words, or by the store's methods."""
    if label == "operation":
        return {name for port in (ThreadStore, TurnStore) for name in vars(port)}
    return set(re.findall(r"`(\w+)`", metric.meaning.partition(f"by {label}: ")[2]))


def _mounted_texts(world: World, folder: str) -> dict[str, str]:
    return {
        name: text
        for each in of_kind(world.tree.build(folder), "ConfigMap")
        for name, text in each["data"].items()
        if name.endswith(".toml")
    }
