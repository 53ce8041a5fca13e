"""A workspace file in, its team, app, people and channels out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from playground.errors import WorkspaceFileError
from playground.manifest import read_yaml
from playground.roster import Channel, ChannelType, Roster, User

JSON = dict[str, Any]

DEFAULT_FILE = Path(__file__).with_name("workspace.yaml")

_KINDS: dict[str, tuple[ChannelType, str]] = {
    "public": ("channel", "C"),
    "private": ("group", "C"),
    "group_dm": ("mpim", "G"),
}


def read_roster(path: Path = DEFAULT_FILE, *, app_name: str = "") -> Roster:
    """Read a workspace file. `app_name` (from the manifest) wins over the file's own name of the app.

    Raises WorkspaceFileError with the line and reason; the file is only read, never written.
    """
    document = read_yaml(path)
    lines = _Lines(path)
    team, app = _identity(document, path, lines)
    bot = _bot(team, app, app_name or str(app.get("name") or "App"))
    users: dict[str, User] = {bot.id: bot}
    for entry, where in _entries(document, "users", path, lines):
        _add(users, _user(entry, team["id"], where), where)
    channels: dict[str, Channel] = {}
    for entry, where in _entries(document, "channels", path, lines):
        _add(channels, _channel(entry, users, where), where)
    for user in users.values():
        if not user.is_bot and user.team_id == bot.team_id:
            direct = Channel(id=f"D{user.id[1:]}", name="", type="im", members=[user.id, bot.id], user=user.id)
            channels[direct.id] = direct
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


def _identity(document: JSON, path: Path, lines: _Lines) -> tuple[JSON, JSON]:
    team, app = document.get("team"), document.get("app")
    if not isinstance(team, dict) or not isinstance(app, dict):
        raise WorkspaceFileError(f"{path}:1: team and app must be mappings with an id each")
    for key, owner, section in (("id", team, "team"), ("id", app, "app"), ("user", app, "app"), ("bot", app, "app")):
        if not isinstance(owner.get(key), str):
            raise WorkspaceFileError(f"{path}:{lines.of(section)}: {section}.{key} is missing")
    return team, app


def _bot(team: JSON, app: JSON, name: str) -> User:
    return User(
        id=app["user"],
        team_id=team["id"],
        name=name.lower().replace(" ", "-"),
        real_name=name,
        display_name=name,
        color="#2f5fd0",
        is_bot=True,
        bot_id=app["bot"],
    )


def _add(known: dict[str, Any], item: User | Channel, where: str) -> None:
    if item.id in known:
        raise WorkspaceFileError(f"{where}: {item.id} is there twice")
    known[item.id] = item


def _entries(document: JSON, section: str, path: Path, lines: _Lines) -> Iterator[tuple[JSON, str]]:
    """Each entry of a list, and where it stands."""
    entries = document.get(section) or []
    if not isinstance(entries, list):
        raise WorkspaceFileError(f"{path}:{lines.of(section)}: {section} must be a list")
    for index, entry in enumerate(entries):
        where = f"{path}:{lines.of(section, index)}"
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
            raise WorkspaceFileError(f"{where}: each of {section} needs an id")
        yield entry, where


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
        is_bot=bool(entry.get("bot")),
        bot_id=str(entry.get("bot") or ""),
    )


def _channel(entry: JSON, users: dict[str, User], where: str) -> Channel:
    kind = str(entry.get("kind") or "public")
    if kind not in _KINDS:
        raise WorkspaceFileError(f"{where}: kind is {kind!r}; public, private or group_dm is expected")
    type_, letter = _KINDS[kind]
    if not entry["id"].startswith(letter):
        raise WorkspaceFileError(f"{where}: the id of a {kind} channel starts with {letter}, not {entry['id']!r}")
    members = entry.get("members") or []
    unknown = [member for member in members if member not in users]
    if unknown:
        raise WorkspaceFileError(f"{where}: members names nobody in users: {', '.join(map(str, unknown))}")
    teams = tuple(sorted({users[member].team_id for member in members}))
    if len(teams) > 1 and not entry.get("shared"):
        raise WorkspaceFileError(f"{where}: it has members of {' and '.join(teams)}, so it must say shared: true")
    return Channel(
        id=entry["id"],
        name=str(entry.get("name") or entry["id"].lower()),
        type=type_,
        team_ids=teams,
        members=list(members),
        topic=str(entry.get("topic") or ""),
        is_ext_shared=bool(entry.get("shared")),
    )
