"""A workspace file in, its team, app, people and channels out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from playground.errors import WorkspaceFileError
from playground.manifest import read_yaml

DEFAULT_FILE = Path(__file__).with_name("workspace.yaml")

JSON = dict[str, Any]
ChannelType = Literal["channel", "group", "im"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, a guest, or the app's bot user."""

    id: str
    team_id: str
    name: str
    real_name: str
    display_name: str
    color: str = "#5b6470"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_owner: bool = False
    bot_id: str = ""

    def as_slack(self) -> JSON:
        """The user object of users.info."""
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": False,
            "color": self.color.lstrip("#"),
            "tz": "Europe/London",
            "tz_label": "Greenwich Mean Time",
            "tz_offset": 0,
            "profile": self.profile(),
            "is_admin": self.is_owner,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_owner,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1,
        }

    def profile(self) -> JSON:
        """The profile part of the user object; a bot's names its bot id."""
        profile = {
            "real_name": self.real_name,
            "display_name": self.display_name,
            "real_name_normalized": self.real_name,
            "display_name_normalized": self.display_name,
            "team": self.team_id,
        }
        return {**profile, "bot_id": self.bot_id, "api_app_id": ""} if self.is_bot else profile


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel or a direct message with the app, and who is in it."""

    id: str
    name: str
    type: ChannelType = "channel"
    members: list[str] = field(default_factory=list)
    topic: str = ""
    user: str = ""
    is_archived: bool = False
    is_ext_shared: bool = False

    def as_slack(self, team_id: str, member_id: str) -> JSON:
        """The channel object of conversations.info, as `member_id` sees it."""
        shared: JSON = {
            "id": self.id,
            "created": 1,
            "is_archived": self.is_archived,
            "is_im": self.type == "im",
            "is_org_shared": False,
            "is_ext_shared": self.is_ext_shared,
            "is_shared": self.is_ext_shared,
            "is_mpim": False,
            "context_team_id": team_id,
            "updated": 1,
        }
        if self.type == "im":
            return {**shared, "user": self.user, "is_user_deleted": False, "priority": 0}
        return {
            **shared,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.type == "channel",
            "is_group": self.type == "group",
            "is_private": self.type == "group",
            "is_general": self.name == "general",
            "is_member": member_id in self.members,
            "creator": self.members[0] if self.members else "",
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }


@dataclass(slots=True, kw_only=True)
class Roster:
    """Who and what is in the workspace, apart from messages."""

    team_id: str
    team_name: str
    team_domain: str
    app_id: str
    bot_id: str
    bot_user: User
    users: dict[str, User]
    channels: dict[str, Channel]

    @property
    def owner(self) -> str:
        """The user who may delete others' messages."""
        return next((user.id for user in self.users.values() if user.is_owner), "")

    def direct_message(self, user_id: str) -> Channel | None:
        """The direct message between the app and a user."""
        return next((c for c in self.channels.values() if c.type == "im" and c.user == user_id), None)


def read_roster(path: Path = DEFAULT_FILE, *, app_name: str = "") -> Roster:
    """Read a workspace file. `app_name` (from the manifest) wins over the file's own name of the app.

    Raises WorkspaceFileError with the line and reason; the file is only read, never written.
    """
    document = read_yaml(path)
    lines = _Lines(path)
    team, app = document.get("team"), document.get("app")
    if not isinstance(team, dict) or not isinstance(app, dict):
        raise WorkspaceFileError(f"{path}:1: team and app must be mappings with an id each")
    for key, owner, section in (("id", team, "team"), ("id", app, "app"), ("user", app, "app"), ("bot", app, "app")):
        if not isinstance(owner.get(key), str):
            raise WorkspaceFileError(f"{path}:{lines.of(section)}: {section}.{key} is missing")
    name = app_name or str(app.get("name") or "App")
    bot = User(
        id=app["user"],
        team_id=team["id"],
        name=name.lower().replace(" ", "-"),
        real_name=name,
        display_name=name,
        color="#2f5fd0",
        is_bot=True,
        bot_id=app["bot"],
    )
    users = {bot.id: bot}
    for index, entry in enumerate(_entries(document, "users", path, lines)):
        user = _user(entry, team["id"], f"{path}:{lines.of('users', index)}")
        if user.id in users:
            raise WorkspaceFileError(f"{path}:{lines.of('users', index)}: {user.id} is there twice")
        users[user.id] = user
    channels: dict[str, Channel] = {}
    for index, entry in enumerate(_entries(document, "channels", path, lines)):
        channel = _channel(entry, users, f"{path}:{lines.of('channels', index)}")
        if channel.id in channels:
            raise WorkspaceFileError(f"{path}:{lines.of('channels', index)}: {channel.id} is there twice")
        channels[channel.id] = channel
    for user in users.values():
        if not user.is_bot:
            dm = Channel(id=f"D{user.id[1:]}", name="", type="im", members=[user.id, bot.id], user=user.id)
            channels[dm.id] = dm
    return Roster(
        team_id=team["id"],
        team_name=str(team.get("name") or team["id"]),
        team_domain=str(team.get("domain") or "playground"),
        app_id=app["id"],
        bot_id=app["bot"],
        bot_user=bot,
        users=users,
        channels=channels,
    )


class _Lines:
    """Where in a YAML file a section, or an entry of a section's list, begins (counted from 1)."""

    def __init__(self, path: Path) -> None:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        pairs = root.value if isinstance(root, yaml.MappingNode) else []
        self._nodes: dict[str, yaml.Node] = {key.value: value for key, value in pairs}

    def of(self, section: str, index: int = 0) -> int:
        node = self._nodes.get(section)
        if isinstance(node, yaml.SequenceNode) and index < len(node.value):
            node = node.value[index]
        return node.start_mark.line + 1 if node else 1


def _entries(document: JSON, section: str, path: Path, lines: _Lines) -> list[JSON]:
    entries = document.get(section) or []
    if not isinstance(entries, list):
        raise WorkspaceFileError(f"{path}:{lines.of(section)}: {section} must be a list")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
            raise WorkspaceFileError(f"{path}:{lines.of(section, index)}: each of {section} needs an id")
    return entries


def _user(entry: JSON, team_id: str, where: str) -> User:
    guest = entry.get("guest")
    if guest not in (None, "multi", "single"):
        raise WorkspaceFileError(f"{where}: guest is {guest!r}; multi or single is expected")
    if not entry["id"].startswith(("U", "W")):
        raise WorkspaceFileError(f"{where}: a user's id starts with U or W, not {entry['id']!r}")
    name = str(entry.get("name") or entry["id"].lower())
    real_name = str(entry.get("real_name") or name)
    return User(
        id=entry["id"],
        team_id=str(entry.get("team") or team_id),
        name=name,
        real_name=real_name,
        display_name=str(entry.get("display_name") or real_name),
        color=str(entry.get("color") or "#5b6470"),
        is_restricted=guest is not None,
        is_ultra_restricted=guest == "single",
        is_owner=bool(entry.get("owner")),
    )


def _channel(entry: JSON, users: dict[str, User], where: str) -> Channel:
    if not entry["id"].startswith("C"):
        raise WorkspaceFileError(f"{where}: a channel's id starts with C, not {entry['id']!r}")
    members = entry.get("members") or []
    unknown = [member for member in members if member not in users]
    if unknown:
        raise WorkspaceFileError(f"{where}: members names nobody in users: {', '.join(map(str, unknown))}")
    return Channel(
        id=entry["id"],
        name=str(entry.get("name") or entry["id"].lower()),
        type="group" if entry.get("private") else "channel",
        members=list(members),
        topic=str(entry.get("topic") or ""),
        is_ext_shared=bool(entry.get("shared")),
    )
