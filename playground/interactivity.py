"""Commands, clicks and submitted views in, the app's acks out; trigger ids and response URLs between them."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from playground.delivery import Deliveries, Outcome
from playground.errors import SlackError
from playground.manifest import Manifest
from playground.messages import Author, Draft, make_message
from playground.roster import Channel, User
from playground.trouble import Timing
from playground.views import Views
from playground.workspace import Message, Workspace

JSON = dict[str, Any]

RESPONSE_URL_USES = 5  # docs.slack.dev/interactivity/handling-user-interaction


@dataclass(slots=True)
class ResponseUrl:
    """Where an app may answer an interaction for a while."""

    channel: str
    user: str
    expires: float
    message: Message | None = None
    uses: int = 0


class Triggers:
    """Trigger ids: each opens one view, within seconds of the click that made it."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._open: dict[str, tuple[str, float]] = {}
        self._used: set[str] = set()

    def issue(self, user_id: str) -> str:
        trigger_id = f"{time.time_ns() // 1000}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._open[trigger_id] = (user_id, time.monotonic() + self._timing.trigger_life_s)
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """The user who made it. Raises SlackError invalid_trigger_id, exchanged_trigger_id, expired_trigger_id."""
        if trigger_id in self._used:
            raise SlackError("exchanged_trigger_id")
        if trigger_id not in self._open:
            raise SlackError("invalid_trigger_id")
        user_id, expires = self._open.pop(trigger_id)
        if expires < time.monotonic():
            raise SlackError("expired_trigger_id")
        self._used.add(trigger_id)
        return user_id


class Interactivity:
    """What people do with commands, buttons and views."""

    def __init__(
        self, workspace: Workspace, manifest: Manifest, deliveries: Deliveries, views: Views, timing: Timing
    ) -> None:
        self._workspace = workspace
        self._roster = workspace.roster
        self._manifest = manifest
        self._deliveries = deliveries
        self._views = views
        self._timing = timing
        self._urls: dict[str, ResponseUrl] = {}
        self.triggers = Triggers(timing)
        self.base_url = ""

    async def command(self, user: User, channel: Channel, command: str, text: str) -> JSON:
        """A slash command. Raises SlackError unknown_command, dispatch_failed, operation_timeout."""
        if all(known.command != command for known in self._manifest.commands):
            raise SlackError("unknown_command")
        url = self._response_url(channel, user)
        payload = {
            "token": "playground",
            "team_id": user.team_id,
            "team_domain": self._roster.team_domain,
            "channel_id": channel.id,
            "channel_name": {"im": "directmessage", "group": "privategroup"}.get(channel.type, channel.name),
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self._roster.app_id,
            "is_enterprise_install": "false",
            "response_url": url,
            "trigger_id": self.triggers.issue(user.id),
        }
        outcome = await self._deliveries.ask("slash_commands", payload)
        answer = _acknowledged(outcome)
        if answer and any(answer.get(name) for name in ("text", "blocks", "attachments")):
            self._respond(self._urls[url.rpartition("/")[2]], answer)
        return {"answer": answer}

    async def act(self, user: User, *, action: JSON, message: Message | None, view: JSON | None) -> JSON:
        """A click in a message or view. `action` has action_id, block_id, and its new value.

        Raises SlackError no_such_action, dispatch_failed, operation_timeout.
        """
        element, block_id = find_element((message.data if message else view or {}).get("blocks") or [], action)
        done: JSON = {
            **{key: element[key] for key in ("type", "action_id", "value", "text") if key in element},
            "block_id": block_id,
            "action_ts": self._workspace.next_ts(),
            **_chosen(element, action),
        }
        if element["type"] not in ("button", "feedback_buttons", "icon_button"):
            done.pop("value", None)
        payload = self._origin("block_actions", user)
        payload |= {"trigger_id": self.triggers.issue(user.id), "actions": [done], "state": {"values": {}}}
        if message is not None:
            payload |= self._from_message(user, message)
            payload["state"]["values"] = {block_id: {done["action_id"]: _state(done)}}
        elif view is not None:
            values = self._views.note(view["id"], block_id, done["action_id"], _state(done))
            payload |= {"container": {"type": "view", "view_id": view["id"]}, "view": view}
            payload["view"] = {**view, "state": {"values": values}}
        _acknowledged(await self._deliveries.ask("interactive", payload))
        return {}

    async def submit(self, user: User, view_id: str, values: JSON) -> JSON:
        """A modal's Submit. Errors that the app answers are given back under `errors`."""
        view = self._views.get(view_id)
        filled = {**view, "state": {"values": _typed_values(view, values)}}
        payload = self._origin("view_submission", user)
        payload |= {"trigger_id": self.triggers.issue(user.id), "view": filled, "response_urls": []}
        answer = _acknowledged(await self._deliveries.ask("interactive", payload)) or {}
        action = answer.get("response_action")
        if action == "errors":
            return {"errors": answer.get("errors") or {}}
        if action in ("update", "push"):
            change = self._views.update if action == "update" else self._views.push_onto
            return {"view": change(view_id, answer.get("view"))}
        self._views.close(user.id, view_id, all_of_them=action == "clear")
        return {}

    async def close_view(self, user: User, view_id: str) -> None:
        """A modal's Cancel; the app hears of it when the view says notify_on_close."""
        view = self._views.get(view_id)
        self._views.close(user.id, view_id)
        if view.get("notify_on_close"):
            payload = self._origin("view_closed", user) | {"view": view, "is_cleared": False}
            _acknowledged(await self._deliveries.ask("interactive", payload))

    async def shortcut(self, user: User, message: Message, callback_id: str) -> None:
        """A message shortcut of the app."""
        if all(known.get("callback_id") != callback_id for known in self._manifest.shortcuts):
            raise SlackError("unknown_shortcut")
        payload = self._origin("message_action", user) | self._from_message(user, message)
        payload |= {"trigger_id": self.triggers.issue(user.id), "callback_id": callback_id}
        payload |= {"message_ts": message.ts, "action_ts": self._workspace.next_ts()}
        _acknowledged(await self._deliveries.ask("interactive", payload))

    def respond(self, hook: str, answer: JSON) -> None:
        """A POST to a response URL. Raises SlackError used_url, expired_url, no_text, …"""
        url = self._urls.get(hook)
        if url is None or url.expires < time.monotonic():
            raise SlackError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        self._respond(url, answer)

    def _respond(self, url: ResponseUrl, answer: JSON) -> None:
        original = url.message
        if answer.get("delete_original"):
            if original is not None:
                self._workspace.remove(original)
            return
        draft = Draft.read(answer)
        author = Author.of_app(self._roster)
        if answer.get("replace_original") and original is not None:
            self._workspace.change(original, {**original.data, **draft.content()})
            return
        in_channel = answer.get("response_type") == "in_channel"
        thread_ts = str(answer.get("thread_ts") or "")
        visible_to = None if in_channel else url.user
        self._workspace.post(
            make_message(self._workspace, url.channel, author, draft, root=thread_ts, visible_to=visible_to)
        )

    def _response_url(self, channel: Channel, user: User, message: Message | None = None) -> str:
        hook = secrets.token_urlsafe(16)
        expires = time.monotonic() + self._timing.response_url_life_s
        self._urls[hook] = ResponseUrl(channel.id, user.id, expires, message)
        return f"{self.base_url}/hooks/{hook}"

    def _origin(self, kind: str, user: User) -> JSON:
        return {
            "type": kind,
            "team": {"id": self._roster.team_id, "domain": self._roster.team_domain},
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
            "api_app_id": self._roster.app_id,
            "token": "playground",
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _from_message(self, user: User, message: Message) -> JSON:
        channel = self._roster.channels[message.channel]
        shown = self._workspace.presented(message)
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.visible_to is not None,
        }
        if shown.get("thread_ts"):
            container["thread_ts"] = shown["thread_ts"]
        name = "directmessage" if channel.type == "im" else channel.name
        where = {"container": container, "channel": {"id": channel.id, "name": name}}
        if message.visible_to is None:
            where["message"] = shown
        return {**where, "response_url": self._response_url(channel, user, message)}


def find_element(blocks: list[JSON], action: JSON) -> tuple[JSON, str]:
    """The interactive element that a click names, and its block's id. Raises SlackError no_such_action."""
    for block in blocks:
        if action.get("block_id") not in (None, "", block.get("block_id")):
            continue
        elements = [*(block.get("elements") or ()), block.get("accessory"), block.get("element")]
        for element in elements:
            if isinstance(element, dict) and element.get("action_id") == action.get("action_id"):
                return element, str(block.get("block_id", ""))
    raise SlackError("no_such_action")


def _chosen(element: JSON, action: JSON) -> JSON:
    """What the click chose, as block_actions says it for this kind of element."""
    if element["type"] in ("static_select", "radio_buttons", "overflow"):
        groups = element.get("option_groups") or [{"options": element.get("options") or []}]
        value = action.get("selected_option_value")
        for group in groups:
            for option in group.get("options") or []:
                if option.get("value") == value:
                    return {"selected_option": option}
        raise SlackError("no_such_option")
    if element["type"] == "feedback_buttons":
        buttons = [element.get(name) or {} for name in ("positive_button", "negative_button")]
        chosen = next((button for button in buttons if button.get("value") == action.get("value")), buttons[0])
        return {"value": chosen.get("value"), "text": chosen.get("text")}
    return {"value": action["value"]} if element["type"] != "button" and "value" in action else {}


def _state(done: JSON) -> JSON:
    return {key: done[key] for key in ("type", "value", "selected_option") if key in done}


def _typed_values(view: JSON, values: JSON) -> JSON:
    """What people filled in, as view.state.values; plain values get the type of their element."""
    typed: JSON = {block_id: dict(actions) for block_id, actions in (view["state"]["values"] or {}).items()}
    for block_id, actions in values.items():
        for action_id, value in actions.items():
            element, _ = find_element(view["blocks"], {"block_id": block_id, "action_id": action_id})
            if isinstance(value, dict):
                state = value
            elif element["type"] in ("static_select", "radio_buttons"):
                state = {"type": element["type"], **_chosen(element, {"selected_option_value": value})}
            else:
                state = {"type": element["type"], "value": value}
            typed.setdefault(block_id, {})[action_id] = state
    return typed


def _acknowledged(outcome: Outcome) -> JSON | None:
    if outcome.acked:
        return outcome.answer
    timed_out = outcome.reason in ("timeout", "http_timeout")
    raise SlackError("operation_timeout" if timed_out else "dispatch_failed")
