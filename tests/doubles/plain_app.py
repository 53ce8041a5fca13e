"""Slack events in, plain answers out: a small app of slack_sdk alone, for tests of the playground and its page."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

JSON = dict[str, Any]

MANIFEST = """\
display_information: {name: Tandem}
features:
  bot_user: {display_name: Tandem, always_online: true}
  agent_view: {agent_description: Answers plainly.}
  app_home: {home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false}
  slash_commands:
    - {command: /model, description: Show or choose the model, usage_hint: "[name]", should_escape: false}
oauth_config:
  scopes:
    bot: [app_mentions:read, assistant:write, "channels:history", "channels:read", "chat:write", commands,
          "groups:history", "groups:read", "im:history", "im:read", "files:read", "users:read", "reactions:write"]
settings:
  event_subscriptions:
    bot_events: [agent_session_stopped, app_home_opened, app_mention, message.channels, message.groups, message.im]
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
"""

ANSWER = """\
## How to wait

Obey **Retry-After**, then add *jitter*. `2 < 3`, and <script>alert(1)</script> is only text.

1. read the header
2. sleep

```python
await asyncio.sleep(seconds)
```

| Method | Tier |
|---|--:|
| chat.update | 3 |
"""

_MODELS = {"gemma": "Gemma", "gemini": "Gemini"}


def _plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def _option(value: str) -> JSON:
    return {"text": _plain(_MODELS[value]), "value": value}


def model_menu(chosen: str) -> JSON:
    """A select menu of the models, as an element of an actions block."""
    return {
        "type": "static_select",
        "action_id": "model",
        "placeholder": _plain("Model"),
        "initial_option": _option(chosen),
        "options": [_option(value) for value in _MODELS],
    }


def _footer(chosen: str) -> list[JSON]:
    details = {"type": "button", "action_id": "details", "text": _plain("Details"), "value": "d"}
    thumbs = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {"text": _plain("Good"), "accessibility_label": "Good answer", "value": "good"},
        "negative_button": {"text": _plain("Bad"), "accessibility_label": "Bad answer", "value": "bad"},
    }
    return [
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"*{_MODELS[chosen]}* answered"}]},
        {"type": "actions", "block_id": "footer", "elements": [model_menu(chosen), details]},
        {"type": "context_actions", "block_id": "thumbs", "elements": [thumbs]},
    ]


_MODAL = {
    "type": "modal",
    "callback_id": "note",
    "title": _plain("Details"),
    "submit": _plain("Save"),
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Leave a *note* on this answer."}},
        {
            "type": "input",
            "block_id": "note",
            "label": _plain("Note"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
    ],
}


@dataclass(slots=True)
class PlainApp:
    """Answers mentions and direct messages; `async with` connects it over Socket Mode.

    "count" streams numbers, one every `pace_s` seconds, until somebody presses Stop; all else gets ANSWER.
    """

    api_url: str
    bot_token: str = "xoxb-playground"
    app_token: str = "xapp-playground"
    pace_s: float = 0.05
    model: str = "gemma"
    actions: list[JSON] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _stopped: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _web: AsyncWebClient = field(init=False)
    _socket: SocketModeClient = field(init=False)

    async def __aenter__(self) -> Self:
        self._web = AsyncWebClient(token=self.bot_token, base_url=self.api_url)
        self._socket = SocketModeClient(app_token=self.app_token, web_client=self._web)
        self._socket.socket_mode_request_listeners.append(self._listen)
        await self._socket.connect()  # type: ignore[no-untyped-call]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()  # type: ignore[no-untyped-call]

    async def heard(self, actions: int, *, timeout_s: float = 5) -> None:
        """Wait until so many clicks have arrived. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while len(self.actions) < actions:
                await asyncio.sleep(0.02)

    async def _listen(self, socket: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        payload = request.payload
        answer = self._acknowledge(request.type, payload)
        await socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=answer))
        task = asyncio.create_task(self._react(request.type, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _acknowledge(self, kind: str, payload: JSON) -> JSON:
        if kind == "slash_commands":
            self.model = payload["text"] if payload["text"] in _MODELS else self.model
            section = {"type": "section", "text": {"type": "mrkdwn", "text": f"*{_MODELS[self.model]}* answers here."}}
            menu = {"type": "actions", "block_id": "choice", "elements": [model_menu(self.model)]}
            return {"text": "The model", "blocks": [section, menu]}
        if kind == "interactive" and payload["type"] == "view_submission":
            note = payload["view"]["state"]["values"]["note"]["text"]["value"] or ""
            if len(note) < 3:
                return {"response_action": "errors", "errors": {"note": "Write three letters at least."}}
            self.notes.append(note)
        return {}

    async def _react(self, kind: str, payload: JSON) -> None:
        if kind == "events_api":
            await self._event(payload["event"], payload["team_id"])
        elif kind == "interactive" and payload["type"] == "block_actions":
            await self._action(payload)

    async def _event(self, event: JSON, team_id: str) -> None:
        match event["type"]:
            case "app_mention":
                await self._answer(event, team_id)
            case "message" if event.get("channel_type") == "im" and not event.get("subtype") and "bot_id" not in event:
                await self._answer(event, team_id)
            case "agent_session_stopped":
                self._stopped.add(event["thread_ts"])
            case "app_home_opened" if event["tab"] == "home":
                text = {"type": "mrkdwn", "text": f"Welcome, <@{event['user']}>. *{_MODELS[self.model]}* answers."}
                view = {"type": "home", "blocks": [{"type": "section", "text": text}]}
                await self._web.views_publish(user_id=event["user"], view=view)
            case "app_home_opened":
                prompt = {"title": "Explain backing off", "message": "Explain how to back off politely"}
                await self._web.assistant_threads_setSuggestedPrompts(
                    channel_id=event["channel"], title="Ask me about limits", prompts=[prompt]
                )

    async def _answer(self, event: JSON, team_id: str) -> None:
        channel, thread_ts = event["channel"], event.get("thread_ts") or event["ts"]
        counting = "count" in event["text"]
        pieces = [f"{n} " for n in range(1, 400)] if counting else [f"{line}\n" for line in ANSWER.splitlines()]
        await self._web.agents_sessions_setStatus(channel_id=channel, thread_ts=thread_ts, status="processing")
        started = await self._web.chat_startStream(
            channel=channel,
            thread_ts=thread_ts,
            recipient_user_id=event["user"],
            recipient_team_id=team_id,
            markdown_text=pieces[0],
        )
        ts = started["ts"]
        try:
            for piece in pieces[1:]:
                await asyncio.sleep(self.pace_s)
                await self._web.chat_appendStream(channel=channel, ts=ts, markdown_text=piece)
        except SlackApiError as error:
            if error.response["error"] != "stopped_by_user":
                raise
        await self._web.chat_stopStream(channel=channel, ts=ts, blocks=_footer(self.model))

    async def _action(self, payload: JSON) -> None:
        (action,) = payload["actions"]
        self.actions.append(action)
        if action["action_id"] == "details":
            await self._web.views_open(trigger_id=payload["trigger_id"], view=_MODAL)
        elif action["action_id"] == "model":
            self.model = action["selected_option"]["value"]
            place = payload["container"]
            await self._web.chat_postEphemeral(
                channel=payload["channel"]["id"],
                user=payload["user"]["id"],
                thread_ts=place.get("thread_ts"),
                text=f"From now on *{_MODELS[self.model]}* answers.",
            )
