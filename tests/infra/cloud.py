"""The tools that `make deploy` runs in, their answers out: a small Google Cloud behind fake programs on the PATH.

Each program calls `main` under its name. It keeps a cloud's state in a file, adds what it was called with to a journal,
and fails where the state says so. It takes no word that the real one would not understand there.
"""

# ruff: noqa: PTH113, PTH119, PTH123, S302

import marshal  # these programs are started by the hundred: what they load counts
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOME = os.environ.get("FAKE_CLOUD", ".")

FRESH: "dict[str, Any]" = {
    "logged_in": True,
    "default_login": True,
    "projects": {"my-project": "ACTIVE", "unpaid-project": "ACTIVE"},
    "billing": ["my-project"],
    "billing_answers": True,
    "buckets": [],
    "applied": [],
    "region": "europe-west4",
    "hostname": "",
    "secrets": {},
    "objects": [],
    "shipped": [],
    "pods": {},
    "namespace": False,
    "entered": False,
    "fail_at": "",
    "copy_fails": False,
    "scales_by": "autoscalingmetrics.autoscaling.gke.io",
}
SECRETS = ("slack-bot-token", "slack-app-token", "slack-signing-secret", "gemma-key", "hf-token")


def main() -> int:
    """Do what the program of this name would; its exit code."""
    program, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    state = load(f"{HOME}/state")
    line = " ".join([program, *words])
    given = sys.stdin.read() if "--data-file=-" in words else ""
    with open(f"{HOME}/journal", "a") as journal:
        journal.write(line + "\n")
    if state["fail_at"] and state["fail_at"] in line:
        print("it broke", file=sys.stderr)
        return 1
    answer = {"gcloud": gcloud, "terraform": terraform, "kubectl": kubectl, "skaffold": skaffold}[program](
        state, words, given
    )
    save(f"{HOME}/state", state)
    if answer is None:
        return 1
    print(answer, end="")
    return 0


def read(path: str) -> str:
    """A file's text."""
    with open(path) as file:
        return file.read()


def load(path: str) -> "dict[str, Any]":
    """The state of a cloud."""
    with open(path, "rb") as file:
        state: dict[str, Any] = marshal.load(file)
        return state


def save(path: str, state: "dict[str, Any]") -> None:
    """Keep it."""
    with open(path, "wb") as file:
        marshal.dump(state, file)


def option(words: list[str], name: str) -> str:
    """The value of --name=value, "" where it is not among the words."""
    return next((word.partition("=")[2] for word in words if word.startswith(f"--{name}=")), "")


def gcloud(state: "dict[str, Any]", words: list[str], given: str) -> str | None:
    """None: it failed."""
    match words:
        case ["auth", "print-access-token"]:
            return "a-token" if state["logged_in"] else None
        case ["auth", "application-default", "print-access-token"]:
            return "a-token" if state["default_login"] else None
        case ["projects", "describe", project, "--format=value(lifecycleState)"]:
            return str(state["projects"].get(project, ""))
        case ["billing", "projects", "describe", project, "--format=value(billingEnabled)"]:
            return str(project in state["billing"]) if state["billing_answers"] else None
        case ["storage", "buckets", "describe", bucket, "--format=value(name)"]:
            return bucket if bucket in state["buckets"] else None
        case ["storage", "buckets", "create", bucket, *rest]:
            assert option(rest, "project") and option(rest, "location")
            state["buckets"].append(bucket)
        case ["storage", "buckets", "update", bucket, "--versioning"]:
            return "" if bucket in state["buckets"] else None
        case ["storage", "ls", name]:
            return name if name in state["objects"] else None
        case ["secrets", "versions", "list", secret, *rest]:
            assert option(rest, "project") and option(rest, "filter") == "state=ENABLED"
            return "1\n" * bool(state["secrets"][secret]) if secret in state["secrets"] else None
        case ["secrets", "versions", "add", secret, "--data-file=-", _]:
            state["secrets"][secret].append(given)
        case ["container", "clusters", "get-credentials", "tandem", *rest]:
            assert "--dns-endpoint" in rest
            state["entered"] = True
        case _:
            raise ValueError(words)
    return ""


def terraform(state: "dict[str, Any]", words: list[str], given: str) -> str | None:
    """Keeps what was applied; a plan refuses a region that does not exist, as the configuration does."""
    folder, command, rest = words[0].removeprefix("-chdir="), words[1], words[2:]
    is_local = os.path.isfile(f"{folder}/backend_override.tf")
    if command == "init":
        bucket = next((word.partition("=bucket=")[2] for word in rest if "-backend-config" in word), "")
        return "" if is_local or f"gs://{bucket}" in state["buckets"] else None
    if command in ("plan", "apply"):
        files = [f"{folder}/{word.partition('=')[2]}" for word in rest if word.startswith("-var-file=")]
        if any('region = "europe-west99"' in read(file) for file in files):
            return None
        if command == "apply":
            assert not is_local and "-input=false" in rest
            project = next(word for word in rest if word.startswith("-var=project_id=")).rpartition("=")[2]
            state["applied"].append(project)
            for secret in SECRETS:
                state["secrets"].setdefault(f"tandem-{secret}", [])
        return ""
    assert command == "output"
    if not state["applied"]:
        return "{}"
    project, region = state["applied"][-1], state["region"]
    outputs = {
        "project_id": project,
        "region": region,
        "hostname": state["hostname"],
        "weights_bucket": f"{project}-tandem-weights",
        "image_repository": f"{region}-docker.pkg.dev/{project}/tandem",
        "get_credentials": f"gcloud container clusters get-credentials tandem --location {region} --dns-endpoint",
        "dns_records": [f"{state['hostname']}. A 192.0.2.1"] if state["hostname"] else [],
    }
    import json

    return json.dumps({name: {"value": value} for name, value in outputs.items()})


def kubectl(state: "dict[str, Any]", words: list[str], given: str) -> str | None:
    """Only in a cluster that was entered."""
    if not state["entered"]:
        return None
    match words:
        case ["api-resources", "--api-group=autoscaling.gke.io", "--output=name"]:
            return str(state["scales_by"])
        case ["apply", "--kustomize", path]:
            state["namespace"] = path.endswith("k8s/namespace")
        case ["delete", "--ignore-not-found", "--namespace=tandem", "job/gemma-weights"]:
            pass
        case ["wait", "--for=jsonpath={.status.conditions[0].status}=True", _, "--namespace=tandem", _]:
            pass
        case ["get", "--namespace=tandem", "job/gemma-weights", "--output=jsonpath={.status.conditions[0].type}"]:
            if state["copy_fails"]:
                return "FailureTarget"
            state["objects"].append(f"gs://{state['applied'][-1]}-tandem-weights/{state['copying']}/REVISION")
            return "SuccessCriteriaMet"
        case _:
            raise ValueError(words)
    return ""


def skaffold(state: "dict[str, Any]", words: list[str], given: str) -> str | None:
    """Only into a namespace that is there."""
    assert words[0] == "run" and option(words, "default-repo").endswith("/tandem")
    text = read(option(words, "filename"))
    module, profile = option(words, "module"), option(words, "profile")
    run_id = option(words, "label").removeprefix("skaffold.dev/run-id=") or os.urandom(8).hex()
    state["pods"][module] = state["pods"].get(module, set()) | {run_id}  # another label is another pod
    assert f"name: {module}\n" in text and "PROJECT_ID" not in text and "REGION" not in text
    if not state["namespace"]:
        return None
    if module == "weights":
        state["copying"] = "gemma-4-12b-it" if profile == "gemma4-12b-l4" else "gemma-3-12b-it"
    else:
        folder = text.partition("paths: [k8s/overlays/")[2].partition("]")[0] if module == "bot" else ""
        state["shipped"].append(f"{module} {profile or folder}".strip())
    return ""
