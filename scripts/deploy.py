"""A project's id in, Tandem on GKE out: everything is checked first, then provisioned, built and shipped.

    make deploy ARGS="my-project --environment prod"

Every step may be repeated: after a failure, mend what it says and run the same command again.
"""

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pin
from deploy_plan import MODELS, ON_CPU, ROOT, TERRAFORM, Plan, Refused, fitting_gemmas, read_arguments

TOOLS = {
    "gcloud": "https://cloud.google.com/sdk/docs/install",
    "gke-gcloud-auth-plugin": "gcloud components install gke-gcloud-auth-plugin",
    "kubectl": "gcloud components install kubectl",
    "skaffold": "gcloud components install skaffold",
    "terraform": "https://developer.hashicorp.com/terraform/install",
}
METRICS = "autoscalingmetrics.autoscaling.gke.io"
SLACK_SECRETS = {
    "tandem-slack-bot-token": "the Bot User OAuth Token of OAuth & Permissions (xoxb-…)",
    "tandem-slack-app-token": "an App-Level Token of Basic Information with connections:write (xapp-…)",
    "tandem-slack-signing-secret": "the Signing Secret of Basic Information",
}


def main() -> int:
    """0 when all that was wanted is done."""
    try:
        plan = read_arguments()
        check(plan)
        if plan.does("infrastructure"):
            provision(plan)
        outputs = read_outputs(plan)
        if plan.does("bot") or plan.does("gemma"):
            configure(plan, outputs)
            fill_secrets(plan)
            enter_cluster(outputs)
        if plan.does("bot"):
            skaffold(outputs, "bot")
        if plan.gemma and plan.does("gemma"):
            ship_gemma(plan, outputs)
    except Refused as refused:
        print(f"\ndeploy: {refused}", file=sys.stderr)
        return 1
    for record in outputs["dns_records"]:
        print(f"The domain's DNS needs: {record}")
    print("\nDone. `kubectl get pods --namespace tandem` shows what runs.")
    return 0


def check(plan: Plan) -> None:
    """Everything that is needed, before anything is begun; raises Refused with all that is missing."""
    needed = ("gcloud", "terraform") if plan.only == "infrastructure" else tuple(TOOLS)
    missing = [f"{tool} is missing: {TOOLS[tool]}." for tool in needed if shutil.which(tool) is None]
    missing += [f"{use} is not pinned: run `make pin` and commit what it writes." for use in loose_images(plan)]
    if shutil.which("gcloud"):
        missing += list(account_problems(plan.project))
    if missing:
        raise Refused("\n        ".join(missing))


def loose_images(plan: Plan) -> list[str]:
    """The images of others that would be used without a digest."""
    files = [ROOT / "Dockerfile"] if plan.does("bot") else []
    if plan.gemma and plan.does("gemma"):
        vllm, cpu = ROOT / "deploy/gemma/Dockerfile", ROOT / f"k8s/gemma/{ON_CPU}/kustomization.yaml"
        files.append(cpu if plan.gemma == ON_CPU else vllm)
    return [f"{use.name}:{use.tag}" for file in files for use in pin.uses(file) if use.digest is None]


def account_problems(project: str) -> Iterator[str]:
    """Who is logged in, and whether the project is there and paid for."""
    if not asks("gcloud", "auth", "print-access-token"):
        yield "gcloud is not logged in: `gcloud auth login`."
        return
    if not asks("gcloud", "auth", "application-default", "print-access-token"):
        yield "Terraform is not logged in: `gcloud auth application-default login`."
    state = asks("gcloud", "projects", "describe", project, "--format=value(lifecycleState)")
    if state != "ACTIVE":
        yield f"The project {project} is not there for you: `gcloud projects list` shows those that are."
        return
    billing = asks("gcloud", "billing", "projects", "describe", project, "--format=value(billingEnabled)")
    if billing == "False":
        yield f"The project {project} has no billing: `gcloud billing projects link {project} --billing-account=…`."
    elif billing != "True":
        yield f"Nobody says whether {project} has billing: `gcloud billing projects describe {project}` tells why."


def provision(plan: Plan) -> None:
    """Terraform, with its state in a bucket that is made once, after a first plan has shown that all can be made."""
    bucket = f"{plan.project}-tandem-state"
    if not asks("gcloud", "storage", "buckets", "describe", f"gs://{bucket}", "--format=value(name)"):
        try_plan(plan)
        place = [f"--project={plan.project}", f"--location={plan.variable('region')}"]
        safe = ["--uniform-bucket-level-access", "--public-access-prevention"]
        run("gcloud", "storage", "buckets", "create", f"gs://{bucket}", *place, *safe)
    run("gcloud", "storage", "buckets", "update", f"gs://{bucket}", "--versioning")
    terraform("init", "-reconfigure", "-input=false", f"-backend-config=bucket={bucket}")
    terraform("apply", "-input=false", *plan.variables(), *(["-auto-approve"] if plan.yes else []))


def try_plan(plan: Plan) -> None:
    """A plan without a state: Terraform refuses what cannot be before there is anything."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "terraform"
        shutil.copytree(TERRAFORM, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        (copy / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        terraform("init", "-input=false", folder=copy)
        terraform("plan", "-input=false", *plan.variables(), folder=copy)


def read_outputs(plan: Plan) -> dict[str, Any]:
    """What Terraform made; raises Refused where it belongs to another project or is not there."""
    if not plan.does("infrastructure"):
        terraform("init", "-reconfigure", "-input=false", f"-backend-config=bucket={plan.project}-tandem-state")
    text = asks("terraform", f"-chdir={TERRAFORM}", "output", "-json")
    outputs = {name: output["value"] for name, output in json.loads(text or "{}").items()}
    if outputs.get("project_id") != plan.project:
        raise Refused(f"Terraform says nothing of {plan.project}: without --only, run the same command again.")
    return outputs


def configure(plan: Plan, outputs: dict[str, Any]) -> None:
    """What kustomize and Skaffold need to know of the project, in files that are not committed."""
    values = {
        "PROJECT_ID": outputs["project_id"],
        "HOSTNAME": outputs["hostname"] or "unused.invalid",
        "WEIGHTS_BUCKET": outputs["weights_bucket"],
    }
    lines = [f"{name}={value}\n" for name, value in values.items()]
    (ROOT / "k8s/components/project/project.env").write_text("".join(lines), "utf-8")
    text = (ROOT / "skaffold.yaml").read_text("utf-8")
    filled = text[text.index("apiVersion:") :]  # the words in its opening comment stay in skaffold.yaml
    filled = filled.replace("PROJECT_ID", str(outputs["project_id"])).replace("REGION", str(outputs["region"]))
    # The first is what the bot's module ships without a profile: so overlays of one's own need none.
    filled = filled.replace("paths: [k8s/overlays/prod]", f"paths: [k8s/overlays/{plan.overlay}]", 1)
    (ROOT / ".skaffold.yaml").write_text(f"# Made of skaffold.yaml by `make deploy`.\n{filled}", "utf-8")


def fill_secrets(plan: Plan) -> None:
    """Gemma's key is made up where there is none; what only Slack can give is asked for."""
    needed = {"tandem-slack-signing-secret" if plan.over_http else "tandem-slack-app-token", "tandem-slack-bot-token"}
    empty = [secret for secret in SLACK_SECRETS if secret in needed and not has_version(plan.project, secret)]
    if fitting_gemmas(plan.overlay) and not has_version(plan.project, "tandem-gemma-key"):
        add_version(plan.project, "tandem-gemma-key", secrets.token_urlsafe(32))
    if empty and plan.does("bot"):
        told = [f"{secret} is empty. It takes {SLACK_SECRETS[secret]}:\n{filling(plan, secret)}" for secret in empty]
        raise Refused("\n        ".join([*told, "Then run the same command again; docs/setup.md says where they are."]))


def filling(plan: Plan, secret: str) -> str:
    """How a person fills a secret: in no argument, so in no history."""
    command = f"gcloud secrets versions add {secret} --project={plan.project} --data-file=-"
    return f"          {command}   (paste it, Enter, Ctrl-D)"


def has_version(project: str, secret: str) -> bool:
    """Whether a secret holds something that is in force."""
    where = [f"--project={project}", "--filter=state=ENABLED", "--limit=1", "--format=value(name)"]
    words = ("gcloud", "secrets", "versions", "list", secret, *where)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:  # not the same as none: a key would be made anew
        raise Refused(f"{secret} cannot be looked at: {done.stderr.strip()}")
    return bool(done.stdout.strip())


def add_version(project: str, secret: str, value: str) -> None:
    """Put a value into a secret; it appears in no argument and in no output."""
    run("gcloud", "secrets", "versions", "add", secret, "--data-file=-", f"--project={project}", given=value)


def enter_cluster(outputs: dict[str, Any]) -> None:
    """kubectl speaks to the cluster from here on, and its namespace with its walls is there."""
    run(*str(outputs["get_credentials"]).split())
    if METRICS not in asks("kubectl", "api-resources", "--api-group=autoscaling.gke.io", "--output=name"):
        raise Refused(
            f"The cluster does not know {METRICS}, by which k8s/ scales: that takes GKE 1.35.1 or newer, in the RAPID "
            "channel first. Set release_channel in terraform/envs, wait for the upgrade, and run the command again."
        )
    run("kubectl", "apply", "--kustomize", str(ROOT / "k8s/namespace"))


def skaffold(outputs: dict[str, Any], module: str, profile: str = "") -> None:
    """Build a module, by Cloud Build, and ship it; wait until it runs.

    Skaffold labels pods with an id of its run, which would restart Gemma each time, for half an hour; ours stays.
    """
    words = ["skaffold", "run", f"--filename={ROOT / '.skaffold.yaml'}", f"--module={module}"]
    words += [f"--label=skaffold.dev/run-id={module}", f"--default-repo={outputs['image_repository']}"]
    run(*words, *([f"--profile={profile}"] if profile else []))


def ship_gemma(plan: Plan, outputs: dict[str, Any]) -> None:
    """Its weights into the bucket, where they are not there yet; then its server, which takes its time."""
    if plan.gemma == ON_CPU:
        skaffold(outputs, ON_CPU)
        return
    revision = f"gs://{outputs['weights_bucket']}/{MODELS[plan.gemma]}/REVISION"
    if not asks("gcloud", "storage", "ls", revision):
        ship_weights(plan, outputs)
    skaffold(outputs, "gemma", plan.gemma)


def ship_weights(plan: Plan, outputs: dict[str, Any]) -> None:
    """The job that copies them from Hugging Face, and its end."""
    if not has_version(plan.project, "tandem-hf-token"):
        raise Refused(
            f"tandem-hf-token is empty. It takes a token of Hugging Face whose account has accepted Gemma's "
            f"terms:\n{filling(plan, 'tandem-hf-token')}\n        Then run the same command again."
        )
    job = ["--namespace=tandem", "job/gemma-weights"]
    run("kubectl", "delete", "--ignore-not-found", *job)  # a job cannot be changed
    skaffold(outputs, "weights", plan.gemma if plan.gemma == "gemma4-12b-l4" else "")
    run("kubectl", "wait", "--for=jsonpath={.status.conditions[0].status}=True", "--timeout=4h", *job)
    # Which condition is true, not how many pods succeeded: that is counted a moment later.
    ended = asks("kubectl", "get", *job, "--output=jsonpath={.status.conditions[0].type}")
    if ended not in ("SuccessCriteriaMet", "Complete"):
        raise Refused("The weights could not be copied: `kubectl logs --namespace=tandem job/gemma-weights` says why.")


def terraform(*words: str, folder: Path = TERRAFORM) -> None:
    """Terraform, in its folder."""
    run("terraform", f"-chdir={folder}", *words)


def run(*words: str, given: str | None = None) -> None:
    """Run a command in sight of who waits; raises Refused where it fails."""
    print("→", " ".join(words), flush=True)
    done = subprocess.run(words, cwd=ROOT, text=True, input=given, check=False)  # noqa: S603  # words of our own
    if done.returncode:
        raise Refused(
            f"`{' '.join(words[:4])} …` failed; what it said is above. Mend it and run the same command again."
        )


def asks(*words: str) -> str:
    """What a command answers; "" where it fails."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
