"""The playground's own workspace in, one that shares a channel with another company out: Slack Connect for tests."""

from pathlib import Path

from playground.workspace_file import DEFAULT_FILE

ZED, STRANGER, HELPER, SHARED, OTHER_TEAM = "U0ZED", "U0STRANGE", "U0HELPER", "C0SHARED", "T0OTHER"

_PEOPLE = f"""
  - {{id: {ZED}, name: zed, real_name: Zed Ng, display_name: Zed, team: {OTHER_TEAM}}}
  - {{id: {STRANGER}, name: strange, team: {OTHER_TEAM}}}
  - {{id: {HELPER}, name: helper, real_name: Helper, bot: B0HELPER}}

channels:
  - {{id: {SHARED}, name: shared, shared: true, members: [U0ADA, {ZED}, {HELPER}, U0BOT]}}
"""


def write_workspace(folder: Path) -> Path:
    """A workspace file: Zed of another company is in #shared with Ada, the app, and another app's bot."""
    file = folder / "workspace.yaml"
    file.write_text(DEFAULT_FILE.read_text("utf-8").replace("\n\nchannels:\n", _PEOPLE), "utf-8")
    return file
