"""A folder of Terraform in; what Terraform says of it, and what it would make, out: offline, in a copy."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.infra.provider.schema import PACKAGE
from tests.infra.provider.server import running_provider

PROJECT = "example-project"
NUMBER = "123456789012"

# What Google would say of what it made, as far as other resources or outputs ask for it before it is made.
_SAID = """
override_resource {{
  target          = {kind}.{name}
  override_during = plan
  values          = {{ {values} }}
}}
"""

_PLAN = """
mock_provider "google" {{
  mock_data "google_project" {{
    defaults = {{ number = "{number}" }}
  }}
}}
{said}
run "plan" {{
  command = plan
}}
"""


@dataclass(frozen=True)
class Plan:
    """What would be made: each resource's arguments by its address, and the outputs; nothing that only Google knows."""

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        """The arguments of each resource of a type such as google_firestore_index."""
        return [found for address, found in self.resources.items() if address.startswith(f"{kind}.")]


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder, with a provider that runs."""

    folder: Path
    environment: Mapping[str, str]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command and say what it said."""
        command = ["terraform", f"-chdir={self.folder}", *arguments, "-no-color"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=100)

    def plan(self, *arguments: str, **variables: str) -> Plan:
        """What would be made with these variables; arguments may be `-var-file=…`."""
        test = self.folder / "tests/plan.tftest.hcl"
        test.parent.mkdir(exist_ok=True)
        test.write_text(_PLAN.format(number=NUMBER, said="".join(self._said())), "utf-8")
        given = [f"-var={name}={value}" for name, value in {"project_id": PROJECT, **variables}.items()]
        said = self("test", "-json", "-verbose", f"-filter=tests/{test.name}", *given, *arguments)
        test.unlink()
        messages = [json.loads(line) for line in said.stdout.splitlines()]
        plans = [message["test_plan"] for message in messages if message["type"] == "test_plan"]
        if said.returncode or len(plans) != 1:
            pytest.fail("\n".join([*(message["@message"] for message in messages), said.stderr]))
        changes = {change["address"]: change["change"]["after"] for change in plans[0]["resource_changes"]}
        outputs = {name: output.get("after") for name, output in plans[0]["output_changes"].items()}
        return Plan(changes, outputs)

    def _said(self) -> Iterator[str]:
        text = "".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.tf")))
        for name, account in re.findall(r'"google_service_account" "(\w+)" \{\s+account_id\s+= "([\w-]+)"', text):
            email = f"{account}@{PROJECT}.iam.gserviceaccount.com"
            values = f'email = "{email}", member = "serviceAccount:{email}"'
            yield _SAID.format(kind="google_service_account", name=name, values=values)
        for name, role in re.findall(r'"google_project_iam_custom_role" "(\w+)" \{\s+role_id\s+= "(\w+)"', text):
            values = f'id = "projects/{PROJECT}/roles/{role}"'
            yield _SAID.format(kind="google_project_iam_custom_role", name=name, values=values)


@contextmanager
def terraform_in_a_copy(source: Path, folder: Path) -> Iterator[Terraform]:
    """An initialised copy of a configuration, to be looked at or spoilt."""
    need_terraform()
    copy = Path(shutil.copytree(source, folder / "terraform", ignore=shutil.ignore_patterns(".terraform*")))
    with running_provider(copy) as provider:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        terraform = Terraform(copy, ours | provider)
        initialised = terraform("init", "-backend=false")
        assert initialised.returncode == 0, initialised.stderr
        yield terraform


def need_terraform() -> None:
    """Skip the test that wants Terraform, and the packages of requirements/terraform.txt, where they are missing."""
    if shutil.which("terraform") is None:
        do_without("terraform is not installed (developer.hashicorp.com/terraform/install)")
    for package in (PACKAGE, "promql-parser"):
        try:
            distribution(package)
        except PackageNotFoundError:
            do_without(f"{package} is not installed (`make infra` installs it)")


def do_without(missing: str) -> NoReturn:
    """Skip the test that wants it and say what is missing; fail it where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
