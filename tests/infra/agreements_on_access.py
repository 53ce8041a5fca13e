"""The world in, where its sides disagree on who may do what out: namespace, identities, secrets, the database."""

import re
from collections import defaultdict
from collections.abc import Iterator

from tests.infra.kustomize import APPLIED
from tests.infra.manifests import mounted_secrets, named, of_kind, pods, secrets, settings
from tests.infra.provider.terraform import PROJECT
from tests.infra.world import World

ON_THE_PROJECT = {
    "roles/container.defaultNodeServiceAccount",
    "roles/logging.logWriter",
    "roles/datastore.user",  # the_database_is_one says of which
    f"projects/{PROJECT}/roles/tandemAskModels",
}


def identities_are_those_that_run(world: World) -> Iterator[str]:
    """Each principal of terraform is a pod's namespace and account, and each pod's are a principal's."""
    granted = set(_principals(world))
    running = set()
    for folder in APPLIED:
        accounts = {each["metadata"]["name"] for each in of_kind(world.tree.build(folder), "ServiceAccount")}
        for pod in pods(world.tree.build(folder)):
            account = pod.spec.get("serviceAccountName", "default")
            running.add((pod.owner["metadata"].get("namespace", "default"), account))
            if account not in accounts:
                yield f"{pod} of {folder} runs as {account}, which is not in its build"
    (namespace,) = of_kind(world.tree.build("namespace"), "Namespace")
    if granted != running:
        yield f"terraform grants to {sorted(granted)}, pods run as {sorted(running)}"
    if {name for name, _ in granted} != {namespace["metadata"]["name"]}:
        yield f"terraform grants to pods outside the namespace {namespace['metadata']['name']}"


def the_database_is_one(world: World) -> Iterator[str]:
    """The bot's address of its store, the database that is made, and the only one that the bot may touch."""
    (made,) = world.socket.all("google_firestore_database")
    for folder, manifests in world.overlays.items():
        store = settings(manifests)["TANDEM_STORE"]
        if store != f"firestore://{PROJECT}/{made['name']}":
            yield f"{folder} keeps threads at {store}, terraform makes {made['name']}"
    for address, resource in world.socket.resources.items():
        if address.startswith("google_firestore_") and resource.get("database", made["name"]) != made["name"]:
            yield f"{address} is of the database {resource['database']}"
    grants = [each for each in world.socket.all("google_project_iam_member") if each["role"] == "roles/datastore.user"]
    allowed = [condition["expression"] for grant in grants for condition in grant["condition"]]
    if len(grants) != 1 or allowed != [f'resource.name == "projects/{PROJECT}/databases/{made["name"]}"']:
        yield f"the bot may touch {allowed or 'every database'}"


def nobody_rules_the_project(world: World) -> Iterator[str]:
    """Roles on the whole project are few; none lets anybody act as somebody else, or change what there is."""
    for grant in world.socket.all("google_project_iam_member"):
        if grant["role"] not in ON_THE_PROJECT:
            yield f"{grant['member']} has {grant['role']} on the project"


def secrets_are_those_that_are_made(world: World) -> Iterator[str]:
    """Every secret that is mounted is made, every one that is made is mounted, in the same project."""
    made = {each["secret_id"] for each in world.socket.all("google_secret_manager_secret")}
    mounted = set()
    for provider_class in of_kind(world.manifests(), "SecretProviderClass"):
        mounted |= set(secrets(provider_class).values())
        projects = set(re.findall(r"projects/([^/]+)/", provider_class["spec"]["parameters"]["secrets"]))
        if projects != {PROJECT}:
            yield f"{named(provider_class)} is of the projects {projects}"
    if made != mounted:
        yield f"terraform makes the secrets {sorted(made)}, pods mount {sorted(mounted)}"


def each_pod_may_read_its_secrets_and_no_other(world: World) -> Iterator[str]:
    """What an account may read is what the pods that run as it mount, over all builds."""
    allowed: dict[str, set[str]] = defaultdict(set)
    for grant in world.socket.all("google_secret_manager_secret_iam_member"):
        allowed[grant["member"].rpartition("/sa/")[2]].add(grant["secret_id"])
    mounted: dict[str, set[str]] = defaultdict(set)
    for folder in APPLIED:
        for pod in pods(world.tree.build(folder)):
            mounted[pod.spec["serviceAccountName"]] |= set(mounted_secrets(pod, world.tree.build(folder)).values())
    if allowed != mounted:
        yield f"accounts may read {dict(allowed)}, and mount {dict(mounted)}"


def weights_are_read_where_they_are_written(world: World) -> Iterator[str]:
    """One bucket: the Job writes to it, the servers read from it, and each model lies where its server looks."""
    bucket = world.socket.outputs["weights_bucket"]
    written: set[tuple[str, str]] = set()
    read: set[tuple[str, str]] = set()
    for pod in pods(world.manifests()):
        variables = {variable["name"]: variable.get("value") for variable in pod.container.get("env", [])}
        if "WEIGHTS_BUCKET" in variables:
            (written if pod.owner["kind"] == "Job" else read).add((variables["WEIGHTS_BUCKET"], variables["MODEL"]))
    if written != read or {where for where, _ in written} != {bucket}:
        yield f"weights are written to {sorted(written)} and read from {sorted(read)}; terraform makes {bucket}"
    rights = {
        grant["member"].rpartition("/sa/")[2]: grant["role"]
        for grant in world.socket.all("google_storage_bucket_iam_member")
        if grant["bucket"] == bucket
    }
    if rights != {"gemma": "roles/storage.objectViewer", "weights": "roles/storage.objectUser"}:
        yield f"the bucket of weights is open to {rights}"


def _principals(world: World) -> Iterator[tuple[str, str]]:
    for plan in (world.socket, world.http):
        for address, grant in plan.resources.items():
            if "_iam_" in address and (
                found := re.search(r"/subject/ns/([^/]+)/sa/([^/]+)$", grant.get("member") or "")
            ):
                yield found[1], found[2]
