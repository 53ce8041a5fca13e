"""Uploads in, Slack's file objects and their bytes out."""

import mimetypes
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from playground.errors import SlackError

JSON = dict[str, Any]

_MIMETYPE = re.compile(r"^[\w.+-]+/[\w.+-]+$")
MAX_BYTES = 1_000_000_000  # Slack's own limit for one file


@dataclass(slots=True, kw_only=True)
class File:
    """One file: announced first, then filled, then shared."""

    id: str
    name: str
    mimetype: str
    size: int
    user: str
    title: str = ""
    content: bytes | None = None
    upload_token: str = ""
    mode: str = "hosted"


class Files:
    """All files of the workspace, in memory."""

    def __init__(self, team_id: str) -> None:
        self._team_id = team_id
        self._files: dict[str, File] = {}
        self.base_url = ""

    def announce(self, name: str, size: int, user: str) -> File:
        """A file to be uploaded. Raises SlackError file_upload_size_restricted."""
        if not 0 < size <= MAX_BYTES:
            raise SlackError("file_upload_size_restricted")
        mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = File(
            id=f"F{secrets.token_hex(5).upper()}",
            name=name,
            mimetype=mimetype,
            size=size,
            user=user,
            title=name,
            upload_token=secrets.token_urlsafe(18),
        )
        self._files[file.id] = file
        return file

    def add(self, name: str, mimetype: str, content: bytes, user: str) -> File:
        """A file that a person dropped into a message."""
        file = self.announce(name, len(content), user)
        file.content = content
        file.mimetype = mimetype if _MIMETYPE.match(mimetype) else file.mimetype
        return file

    def fill(self, upload_token: str, content: bytes) -> File:
        """Raises SlackError file_not_found, file_update_failed."""
        for file in self._files.values():
            if file.upload_token == upload_token and file.content is None:
                if len(content) != file.size:
                    raise SlackError("file_update_failed")
                file.content = content
                return file
        raise SlackError("file_not_found")

    def get(self, file_id: str) -> File:
        """A file that is there. Raises SlackError file_not_found."""
        file = self._files.get(file_id)
        if file is None or file.content is None:
            raise SlackError("file_not_found")
        return file

    def as_slack(self, file: File) -> JSON:
        """The file object, with URLs that want the bot's token."""
        path, name = f"{self.base_url}/files/{self._team_id}-{file.id}", quote(file.name, safe="")
        extension = file.name.rpartition(".")[2].lower()
        return {
            "id": file.id,
            "created": int(time.time()),
            "timestamp": int(time.time()),
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": extension,
            "pretty_type": extension.upper(),
            "user": file.user,
            "user_team": self._team_id,
            "size": file.size,
            "mode": file.mode,
            "is_external": False,
            "is_public": False,
            "url_private": f"{path}/{name}",
            "url_private_download": f"{path}/download/{name}",
            "file_access": "visible",
        }
