"""Every gcloud command of the documents and outputs is one that gcloud knows, with all its flags; none of them runs."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.infra.provider.terraform import do_without

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "docs/operations.md", ROOT / "docs/setup.md", ROOT / "README.md", ROOT / "terraform/outputs.tf"]


def test_gcloud_knows_every_command_that_is_told(tmp_path: Path) -> None:
    if shutil.which("gcloud") is None:
        do_without("gcloud is not installed (cloud.google.com/sdk)")
    commands = {command for path in SOURCES for command in _commands(path.read_text("utf-8"))}
    listed = tmp_path / "commands.json"
    listed.write_text(json.dumps([{"command_string": command} for command in sorted(commands)]), "utf-8")

    checked = subprocess.run(
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={listed}"],
        # Its own empty configuration: no account, and no look for one at a metadata server.
        env=os.environ | {"CLOUDSDK_CONFIG": str(tmp_path), "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    results = json.loads(checked.stdout)

    assert len(results) == len(commands) > 10
    assert [(result["command_string"], result["error_message"]) for result in results if not result["success"]] == []


def _commands(text: str) -> set[str]:
    """Each command on its own: lines joined, comments and what follows a pipe or && cut off, placeholders filled in."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE) or re.findall(r'value *= "(.*)"', text)
    joined = re.sub(r"\\\n\s*", "", "\n".join(blocks))
    found = re.findall(r"\bgcloud (?:[a-z]+[a-z-]* )+(?:'[^'\n]*'|[^'\n|&`#;\"])*", joined)
    filled = (re.sub(r"\bREGION\b", "europe-west4", command) for command in found)
    return {re.sub(r"\$\{[^}]*\}|\$\w+|\b[A-Z]{2,}\b", "some-id", command).strip() for command in filled}
