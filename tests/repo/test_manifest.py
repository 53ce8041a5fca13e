"""manifest.yaml asks for what the code uses, no less and no more, in the form that Slack takes."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.commands.manifest import over_http
from bot.slack.manifest import bot_scopes, manifest_text
from tests.repo.slack_manifest import Manifest

ROOT = Path(__file__).parents[2]
SLACK = sorted((ROOT / "bot/slack").rglob("*.py"))

READS_OF_CHANNELS = {"channels:read", "groups:read", "im:read", "mpim:read"}
READS_OF_MESSAGES = {"channels:history", "groups:history", "im:history", "mpim:history"}

# The scopes of every Web API method that the bot calls, as Slack's page of that method has them.
SCOPES_OF_METHODS: dict[str, set[str]] = {
    "agents.sessions.setStatus": {"chat:write"},
    "assistant.threads.setStatus": {"assistant:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "auth.test": set(),
    "bots.info": {"users:read"},
    "chat.appendStream": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.startStream": {"chat:write"},
    "chat.stopStream": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": READS_OF_MESSAGES,
    "conversations.info": READS_OF_CHANNELS,
    "conversations.members": READS_OF_CHANNELS,
    "conversations.replies": READS_OF_MESSAGES,
    "team.info": {"team:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
    "apps.connections.open": set(),  # with the app token
}

# What an event costs in scopes; those that are not here cost none.
SCOPES_OF_EVENTS = {
    "agent_session_stopped": "chat:write",
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}

# Types of events that an app such as this one might read.
EVENTS = (
    *("agent_session_stopped", "agent_session_title_changed", "app_context_changed", "app_home_opened", "app_mention"),
    *("app_uninstalled", "member_joined_channel", "message", "reaction_added", "tokens_revoked"),
)

FAMILIES = "agents|apps|assistant|auth|bots|chat|conversations|files|reactions|team|users|views"
METHOD = re.compile(rf"({FAMILIES})(\.[a-z][A-Za-z]+)+")


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(manifest_text())
    return loaded


def nodes(path: Path) -> Iterator[ast.AST]:
    """A module's nodes, but for the tables that say something about methods without calling them."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        targets = [
            ast.unparse(target)
            for target in getattr(statement, "targets", [getattr(statement, "target", None)])
            if target
        ]
        if path.name != "limits.py" and targets != ["READS"]:
            yield from ast.walk(statement)


def methods_called() -> set[str]:
    """Web API methods that bot/slack names, as `"chat.update"` or as `client.chat_update()`."""
    found = set()
    for node in (node for path in SLACK for node in nodes(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and METHOD.fullmatch(node.value):
            found.add(node.value)
        elif isinstance(node, ast.Call) and re.fullmatch(rf".*\.({FAMILIES})_[A-Za-z_]+", ast.unparse(node.func)):
            found.add(ast.unparse(node.func).rpartition(".")[2].replace("_", "."))
    return found


def registered(kind: str) -> set[str]:
    """What listeners are registered for: `app.event("…")`, `app.command(NAME)`."""
    found = set()
    for path in SLACK:
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in nodes(path):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"app.{kind}":
                first = node.args[0]
                value = first.value if isinstance(first, ast.Constant) else getattr(module, ast.unparse(first), None)
                found |= {value} if isinstance(value, str) else set()
    return found


def events_heard() -> set[str]:
    """The types of events that listeners are registered for, or that the one reader of event JSON knows by name."""
    words = {node.value for node in nodes(ROOT / "bot/slack/events.py") if isinstance(node, ast.Constant)}
    return registered("event") | {event for event in EVENTS if event in words}


def test_every_scope_says_why_it_is_needed() -> None:
    for scope, line in bot_scopes().items():
        assert re.fullmatch(rf"- {scope} +# .{{5,}}", line)


def test_scopes_are_those_of_the_methods_called_and_the_events_heard() -> None:
    called = methods_called()
    events = manifest()["settings"]["event_subscriptions"]["bot_events"]

    assert called <= SCOPES_OF_METHODS.keys(), "a method without its scopes in SCOPES_OF_METHODS"
    needed = set().union(*(SCOPES_OF_METHODS[method] for method in called))
    needed |= {SCOPES_OF_EVENTS[event] for event in events if event in SCOPES_OF_EVENTS}
    assert set(bot_scopes()) == needed | {"commands", "assistant:write"}  # /model, and what agent_view always takes


def test_every_event_asked_for_is_heard_and_every_event_heard_is_asked_for() -> None:
    asked = {event.partition(".")[0] for event in manifest()["settings"]["event_subscriptions"]["bot_events"]}

    assert events_heard() == asked


def test_every_command_has_its_listener() -> None:
    commands = {command["command"] for command in manifest()["features"]["slash_commands"]}

    assert registered("command") == commands


def test_lists_are_sorted_and_name_nothing_twice() -> None:
    events = manifest()["settings"]["event_subscriptions"]["bot_events"]
    scopes = manifest()["oauth_config"]["scopes"]["bot"]

    assert events == sorted(set(events))
    assert scopes == sorted(set(scopes))


@pytest.mark.parametrize("transport", ["socket", "http"])
def test_slack_takes_every_field_of_both_manifests(transport: str) -> None:
    document = manifest() if transport == "socket" else over_http(manifest(), "https://bot.example.com")

    Manifest.model_validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("display_information.name", "x" * 36),
        ("display_information.long_name", "Tandem"),
        ("features.bot_user.always_online", "yes"),
        ("features.agent_view.suggested_prompts", [{"title": "t", "message": "m"}] * 5),
        (
            "features.slash_commands",
            [{"command": "model", "description": "d", "usage_hint": "h", "should_escape": False}],
        ),
        ("oauth_config.scopes.bot", ["chat:write "]),
        ("settings.interactivity", {"is_enabled": True, "request_url": "http://bot.example.com/slack/events"}),
    ],
)
def test_a_field_that_slack_would_refuse_is_refused_here(path: str, value: object) -> None:
    document = manifest()
    *parents, name = path.split(".")
    part = document
    for parent in parents:
        part = part[parent]
    part[name] = value

    with pytest.raises(ValidationError):
        Manifest.model_validate(document)


def test_an_agent_view_needs_a_messages_tab_that_can_be_written_in() -> None:
    home = manifest()["features"]["app_home"]

    assert home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]


def test_over_socket_mode_no_request_url_is_given_and_over_http_each_is() -> None:
    assert "url" not in str(manifest())

    over = over_http(manifest(), "https://bot.example.com/")

    address = "https://bot.example.com/slack/events"
    assert over["settings"]["event_subscriptions"]["request_url"] == address
    assert over["settings"]["interactivity"]["request_url"] == address
    assert [command["url"] for command in over["features"]["slash_commands"]] == [address]
    assert not over["settings"]["socket_mode_enabled"]


def test_the_package_carries_the_manifest_of_the_repository() -> None:
    assert manifest_text() == (ROOT / "manifest.yaml").read_text("utf-8")
