"""A manifest in, what its kind does not allow out: by Kubernetes' schemas, and by those here for Google's resources."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

from tests.infra.kustomize import Manifest, missing

HERE = Path(__file__).parent
KUBERNETES = "1.35"  # the oldest GKE whose autoscalers read metrics from pods


def invalid(manifest: Manifest) -> Iterator[str]:
    """One sentence for each thing that may not be so."""
    named = f"{manifest.get('kind')} {manifest.get('metadata', {}).get('name')}"
    schema = _schemas().get(f"{manifest.get('apiVersion')}/{manifest.get('kind')}")
    if schema is not None:
        for error in schema.iter_errors(manifest):
            yield f"{named}: {error.json_path} {error.message}"
        return
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{named}: {'.'.join(map(str, error.path))} {error.message}"
    except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
        yield f"{named}: no schema knows it ({error})"


def invalid_by_definition(manifests: Sequence[Manifest]) -> tuple[int, list[str]]:
    """How many of them the npm packages know, and what those forbid: types, ranges, missing fields."""
    if not (HERE / "node_modules").is_dir() or not (node := shutil.which("node")):
        missing("node, or what `npm ci` fetches into tests/infra, is missing.")
    done = subprocess.run(
        [node, "google_resources.mjs"],
        cwd=HERE,
        input=json.dumps(manifests),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer["checked"], answer["problems"]


@cache
def _schemas() -> dict[str, Draft202012Validator]:
    written = yaml.safe_load((HERE / "schemas.yaml").read_text("utf-8"))
    return {kind: Draft202012Validator(_whole(spec, written["shared"])) for kind, spec in written["kinds"].items()}


def _whole(spec: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    names = {"type": "object", "additionalProperties": {"type": "string"}}
    metadata = {"name": {"$ref": "#/shared/name"}, "namespace": {"$ref": "#/shared/name"}}
    return {
        "shared": shared,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {},
            "kind": {},
            "metadata": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {**metadata, "labels": names, "annotations": names},
            },
            "spec": spec,
        },
    }
