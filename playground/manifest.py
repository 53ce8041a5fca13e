"""An app's manifest.yaml in, what Slack would know about the app out: its name, scopes, events and commands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from playground.errors import WorkspaceFileError


@dataclass(frozen=True, slots=True)
class Command:
    """One slash command of the app, e.g. `/model`."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The parts of an app manifest that decide what Slack sends to the app and what it lets it do."""

    name: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: tuple[Command, ...] = ()
    suggested_prompts: tuple[dict[str, str], ...] = ()
    is_agent: bool = False
    home_tab: bool = False
    messages_tab: bool = True
    interactive: bool = False
    shortcuts: tuple[dict[str, str], ...] = ()


def read_manifest(path: Path) -> Manifest:
    """Read manifest.yaml (or JSON, which is YAML too).

    Raises WorkspaceFileError with the line and reason when it is unreadable.
    """
    document = read_yaml(path)
    features = _section(document, "features", path)
    settings = _section(document, "settings", path)
    home = _section(features, "app_home", path)
    agent = features.get("agent_view") or features.get("assistant_view") or {}
    scopes = _section(_section(document, "oauth_config", path), "scopes", path)
    name = _section(features, "bot_user", path).get("display_name")
    return Manifest(
        name=str(name or _section(document, "display_information", path).get("name") or "App"),
        scopes=frozenset([*(scopes.get("bot") or ()), *(scopes.get("bot_optional") or ())]),
        events=frozenset(_section(settings, "event_subscriptions", path).get("bot_events") or ()),
        commands=tuple(_command(entry, path) for entry in features.get("slash_commands") or ()),
        suggested_prompts=tuple(agent.get("suggested_prompts") or ()),
        is_agent=bool(agent),
        home_tab=bool(home.get("home_tab_enabled")),
        messages_tab=bool(home.get("messages_tab_enabled", True)),
        interactive=bool(_section(settings, "interactivity", path).get("is_enabled")),
        shortcuts=tuple(features.get("shortcuts") or ()),
    )


def everything() -> Manifest:
    """An app that was given every scope and event: what the playground takes without a manifest."""
    kinds = ("channels", "groups", "im", "mpim")
    scopes = {f"{kind}:{right}" for kind in kinds for right in ("history", "read", "write")}
    scopes |= {"app_mentions:read", "assistant:write", "channels:join", "chat:write", "chat:write.customize"}
    scopes |= {"commands", "files:read", "files:write", "reactions:read", "reactions:write", "team:read", "users:read"}
    events = {f"message.{kind}" for kind in kinds} | {"app_mention", "app_home_opened", "member_joined_channel"}
    events |= {"agent_session_stopped", "agent_session_title_changed", "reaction_added", "reaction_removed"}
    return Manifest(
        name="App",
        scopes=frozenset(scopes),
        events=frozenset(events),
        is_agent=True,
        home_tab=True,
        interactive=True,
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping from a file; WorkspaceFileError names the line of what is wrong."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkspaceFileError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise WorkspaceFileError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise WorkspaceFileError(f"{where}: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(document, dict):
        raise WorkspaceFileError(f"{path}:1: a mapping of settings is expected")
    return document


def _section(document: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    section = document.get(key) or {}
    if not isinstance(section, dict):
        raise WorkspaceFileError(f"{path}: {key} must be a mapping")
    return section


def _command(entry: dict[str, Any], path: Path) -> Command:
    if not isinstance(entry, dict) or not str(entry.get("command", "")).startswith("/"):
        raise WorkspaceFileError(f"{path}: features.slash_commands: each needs a command that starts with /")
    return Command(
        command=str(entry["command"]),
        description=str(entry.get("description") or ""),
        usage_hint=str(entry.get("usage_hint") or ""),
        should_escape=bool(entry.get("should_escape")),
    )
