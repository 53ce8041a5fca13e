"""A directory of installed packages in, a software bill of materials (CycloneDX, JSON) out.

    python scripts/sbom.py DIRECTORY FILE

The same packages give the same file: no date and no random number is in it.
"""

import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

# https://cyclonedx.org/docs/1.6/json/
FORMAT = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
TANDEM = {"type": "application", "name": "tandem", "bom-ref": "tandem", "licenses": [{"license": {"id": "Apache-2.0"}}]}


def main() -> None:
    """Write the bill of DIRECTORY to FILE."""
    directory, file = sys.argv[1:]
    found = [component(package) for package in importlib.metadata.distributions(path=[directory])]
    if not found:
        sys.exit(f"{directory} holds no packages")
    bill = {**FORMAT, "metadata": {"component": TANDEM}, "components": sorted(found, key=lambda each: each["bom-ref"])}
    Path(file).write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {len(found)} packages")


def component(package: importlib.metadata.Distribution) -> dict[str, Any]:
    """A package as CycloneDX has it, with its license where its author gave one in the standard form."""
    name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
    purl = f"pkg:pypi/{name}@{package.version}"
    entry: dict[str, Any] = {"type": "library", "name": name, "version": package.version, "purl": purl}
    if "License-Expression" in package.metadata:
        entry["licenses"] = [{"expression": package.metadata["License-Expression"]}]
    return entry | {"bom-ref": purl}


if __name__ == "__main__":
    main()
