"""Views that the app opens in, what each person sees of them out: modals in a stack, and App Home."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from playground.blocks import VIEW_BYTES, check_view_blocks
from playground.errors import SlackError
from playground.roster import Roster

JSON = dict[str, Any]

MAX_DEPTH = 3  # docs.slack.dev/surfaces/modals: a stack of at most three views


class Views:
    """Each person's stack of modals, and their App Home."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._views: dict[str, JSON] = {}
        self._stacks: dict[str, list[str]] = {}
        self._homes: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self.on_view: list[Callable[[str, str, JSON], None]] = []
        """Called with the user, what happened (open, push, update, close, home), and the view."""

    def get(self, view_id: str, external_id: str = "") -> JSON:
        """Raises SlackError not_found."""
        for view in self._views.values():
            if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                return view
        raise SlackError("not_found")

    def stack(self, user_id: str) -> list[JSON]:
        """A person's open modals, the topmost last."""
        return [self._views[view_id] for view_id in self._stacks.get(user_id, ())]

    def home(self, user_id: str) -> JSON | None:
        return self._views.get(self._homes.get(user_id, ""))

    def open(self, user_id: str, content: Any) -> JSON:
        """Open a modal; what was open before is gone."""
        view = self._new(user_id, content, "modal")
        for view_id in self._stacks.get(user_id, ()):
            self._views.pop(view_id, None)
        self._stacks[user_id] = [view["id"]]
        return self._shown(user_id, "open", view)

    def push(self, user_id: str, content: Any) -> JSON:
        """Open a modal on top. Raises SlackError not_found, push_limit_reached."""
        stack = self._stacks.get(user_id)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= MAX_DEPTH:
            raise SlackError("push_limit_reached")
        view = self._new(user_id, content, "modal")
        view |= {"previous_view_id": stack[-1], "root_view_id": stack[0]}
        stack.append(view["id"])
        return self._shown(user_id, "push", view)

    def push_onto(self, view_id: str, content: Any) -> JSON:
        """The same, by the view that was submitted."""
        return self.push(self._owners[self.get(view_id)["id"]], content)

    def update(self, view_id: str, content: Any, *, external_id: str = "", hash_: str = "") -> JSON:
        """Raises SlackError not_found, hash_conflict."""
        view = self.get(view_id, external_id)
        if hash_ and hash_ != view["hash"]:
            raise SlackError("hash_conflict")
        view |= self._content(content, view["type"])
        return self._shown(self._owners[view["id"]], "update", view)

    def publish(self, user_id: str, content: Any, *, hash_: str = "") -> JSON:
        """Set a person's App Home. Raises SlackError hash_conflict."""
        present = self.home(user_id)
        if hash_ and present and hash_ != present["hash"]:
            raise SlackError("hash_conflict")
        view = self._new(user_id, content, "home")
        if present:
            del self._views[present["id"]]
        self._homes[user_id] = view["id"]
        return self._shown(user_id, "home", view)

    def note(self, view_id: str, block_id: str, action_id: str, state: JSON) -> JSON:
        """Remember what a person chose in a view; all of its values."""
        values: JSON = self.get(view_id)["state"]["values"]
        values.setdefault(block_id, {})[action_id] = state
        return values

    def close(self, user_id: str, view_id: str, *, all_of_them: bool = False) -> None:
        """Close a modal, or the whole stack."""
        stack = self._stacks.get(user_id, [])
        closed = list(stack) if all_of_them else [id for id in stack if id == view_id]
        for id in closed:
            stack.remove(id)
            self._shown(user_id, "close", self._views.pop(id))

    def clear(self) -> None:
        """Forget all views."""
        for views in (self._views, self._stacks, self._homes, self._owners):
            views.clear()

    def _new(self, user_id: str, content: Any, kind: str) -> JSON:
        view_id = f"V{secrets.token_hex(5).upper()}"
        view = {
            "id": view_id,
            "team_id": self._roster.team_id,
            "app_id": self._roster.app_id,
            "app_installed_team_id": self._roster.team_id,
            "bot_id": self._roster.bot_id,
            "root_view_id": view_id,
            "previous_view_id": None,
            "state": {"values": {}},
            **self._content(content, kind),
        }
        external_id = view["external_id"]
        if external_id and any(other["external_id"] == external_id for other in self._views.values()):
            raise SlackError("duplicate_external_id")
        self._views[view_id] = view
        self._owners[view_id] = user_id
        return view

    def _content(self, content: Any, kind: str) -> JSON:
        if not isinstance(content, dict) or content.get("type") != kind:
            raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid view"]})
        if len(json.dumps(content)) > VIEW_BYTES:
            raise SlackError("view_too_large")
        if kind == "modal" and not isinstance(content.get("title"), dict):
            raise _refused("missing required field: title", "/view/title")
        for name, limit in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
            if len(str(content.get(name) or "")) > limit:
                raise _refused(f"must be less than {limit + 1} characters", f"/view/{name}")
        for name in ("title", "submit", "close"):
            if len(str((content.get(name) or {}).get("text") or "")) > 24:
                raise _refused("must be less than 25 characters", f"/view/{name}/text")
        return {
            "type": kind,
            "title": content.get("title"),
            "submit": content.get("submit"),
            "close": content.get("close"),
            "blocks": check_view_blocks(content.get("blocks")),
            "private_metadata": str(content.get("private_metadata") or ""),
            "callback_id": str(content.get("callback_id") or ""),
            "external_id": str(content.get("external_id") or ""),
            "clear_on_close": bool(content.get("clear_on_close")),
            "notify_on_close": bool(content.get("notify_on_close")),
            "hash": f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}",
        }

    def _shown(self, user_id: str, trigger: str, view: JSON) -> JSON:
        for listener in self.on_view:
            listener(user_id, trigger, view)
        return view


def _refused(reason: str, where: str) -> SlackError:
    messages = [f"[ERROR] {reason} [json-pointer:{where}]"]
    return SlackError("invalid_arguments", response_metadata={"messages": messages})
