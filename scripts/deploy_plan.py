"""The command line of `make deploy` in, a plan out: everything wrong with it is said at once."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TERRAFORM = ROOT / "terraform"
# Which Gemmas fit which of the bot's components; the first is taken where none is named.
GEMMAS = {
    "gemma": ("gemma3-12b-l4", "gemma3-12b-l4x4"),
    "gemma4-12b": ("gemma4-12b-l4",),
    "gemma-1b": ("gemma-1b-cpu",),
}
ON_CPU = "gemma-1b-cpu"
MODELS = {"gemma3-12b-l4": "gemma-3-12b-it", "gemma3-12b-l4x4": "gemma-3-12b-it", "gemma4-12b-l4": "gemma-4-12b-it"}


class Refused(Exception):
    """What stands in the way, one sentence for each thing."""


@dataclass(frozen=True)
class Plan:
    """What is wanted."""

    project: str
    environment: str
    overlay: str
    gemma: str  # "" = none
    only: str  # "" = all
    yes: bool

    @property
    def over_http(self) -> bool:
        """Whether Slack sends events to a public address."""
        return "components/http" in overlay_text(self.overlay)

    def does(self, step: str) -> bool:
        """Whether a part is wanted."""
        return self.only in ("", step)

    def variables(self) -> list[str]:
        """Terraform's arguments: the environment's values, and the project's own before them."""
        own = TERRAFORM / f"envs/{self.project}.tfvars"
        files = [TERRAFORM / f"envs/{self.environment}.tfvars", *([own] if own.is_file() else [])]
        return [f"-var=project_id={self.project}", *(f"-var-file=envs/{file.name}" for file in files)]

    def variable(self, name: str) -> str:
        """A text among Terraform's variables, as Terraform will see it."""
        own = TERRAFORM / f"envs/{self.project}.tfvars"
        for file in (own, TERRAFORM / f"envs/{self.environment}.tfvars"):
            found = re.search(rf'^{name}\s*=\s*"([^"]*)"', file.read_text("utf-8") if file.is_file() else "", re.M)
            if found:
                return found[1]
        text = (TERRAFORM / "variables.tf").read_text("utf-8")
        default = re.search(rf'variable "{name}" {{.*?^  default\s*=\s*"([^"]*)"', text, re.M | re.S)
        return default[1] if default else ""


def read_arguments() -> Plan:
    """The command line, completed and checked; raises Refused with everything that is wrong in it."""
    parser = argparse.ArgumentParser(prog="make deploy", description="Provision, build and ship Tandem to GKE.")
    parser.add_argument("project", help="the Google Cloud project's id")
    parser.add_argument("--environment", default="prod", help="terraform/envs/NAME.tfvars (prod)")
    parser.add_argument(
        "--overlay", default="", help="k8s/overlays/NAME (dev, prod, prod-gemma4, or prod-http where a hostname is set)"
    )
    parser.add_argument("--gemma", default="", help="k8s/gemma/NAME, or none (what fits the overlay)")
    parser.add_argument("--only", default="", choices=["infrastructure", "bot", "gemma"], help="one part of it")
    parser.add_argument("--yes", action="store_true", help="apply Terraform's plan without asking")
    given = parser.parse_args()
    plan = Plan(given.project, given.environment, given.overlay, given.gemma, given.only, given.yes)
    hostname = plan.variable("hostname")
    overlay = plan.overlay or ("dev" if plan.environment == "dev" else "prod-http" if hostname else "prod")
    wrong = []
    if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", plan.project):
        wrong.append(f"{plan.project!r} is not the id of a project: `gcloud projects list` shows the ids.")
    if not (TERRAFORM / f"envs/{plan.environment}.tfvars").is_file():
        wrong.append(f"There is no environment {plan.environment!r}: {names(TERRAFORM / 'envs', '*.tfvars')}.")
    if not overlay_text(overlay):
        wrong.append(f"There is no overlay {overlay!r}: {names(ROOT / 'k8s/overlays', '*')}.")
    elif ("components/http" in overlay_text(overlay)) != bool(hostname):
        what = "needs a public address" if not hostname else "is for Socket Mode"
        where = f"terraform/envs/{plan.project}.tfvars"
        wrong.append(
            f"The overlay {overlay!r} {what}, and hostname is {hostname!r}: set it in {where}, or take another."
        )
    fitting = fitting_gemmas(overlay)
    gemma = {"": fitting[0] if fitting else "", "none": ""}.get(plan.gemma, plan.gemma)
    if gemma and gemma not in fitting:
        wrong.append(f"The overlay {overlay!r} does not fit {gemma!r}: {', '.join((*fitting, 'none'))}.")
    if plan.only == "gemma" and not gemma:
        wrong.append(f"There is no Gemma to ship with the overlay {overlay!r} and --gemma {plan.gemma!r}.")
    if wrong:
        raise Refused("\n        ".join(wrong))
    return Plan(plan.project, plan.environment, overlay, gemma, plan.only, plan.yes)


def overlay_text(overlay: str) -> str:
    """An overlay's kustomization, "" where there is none."""
    path = ROOT / "k8s/overlays" / overlay / "kustomization.yaml"
    return path.read_text("utf-8") if overlay and path.is_file() else ""


def fitting_gemmas(overlay: str) -> tuple[str, ...]:
    """The Gemmas that the overlay's bot expects."""
    components = re.findall(r"components/(\S+)", overlay_text(overlay))
    return next((GEMMAS[component] for component in components if component in GEMMAS), ())


def names(folder: Path, pattern: str) -> str:
    """What there is to choose from."""
    return ", ".join(sorted(path.stem for path in folder.glob(pattern)))
