"""What the playground refuses: Slack's own error codes in, `{"ok": false}` answers out."""

from typing import Any


class SlackError(Exception):
    """A refusal with Slack's code, e.g. `not_in_channel`; `details` are further keys of the answer."""

    def __init__(self, code: str, /, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class WorkspaceFileError(Exception):
    """The workspace file or manifest cannot be used; the text says in which line and why."""
