"""What tests do to the app: raw events, trouble, disconnects, a fresh start."""

from typing import Any

from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.trouble import set_trouble

JSON = dict[str, Any]

REASONS = ("warning", "refresh_requested", "link_disabled", "drop", "mute")


async def deliver(slack: LocalSlack, values: JSON) -> JSON:
    """Send any raw event envelope, such as a redelivery or another workspace's twin."""
    envelope = values.get("envelope")
    if not isinstance(envelope, dict):
        raise SlackError("invalid_arguments", message="envelope must be an object")
    return {"n": slack.deliveries.send_event(envelope).n}


async def envelope(slack: LocalSlack, values: JSON) -> JSON:
    """Send an event inside a fresh envelope, whatever the app is subscribed to."""
    event = values.get("event")
    if not isinstance(event, dict):
        raise SlackError("invalid_arguments", message="event must be an object")
    return {"n": slack.deliveries.send_event(slack.events.envelope(event)).n}


async def trouble(slack: LocalSlack, values: JSON) -> JSON:
    set_trouble(slack.trouble, slack.timing, values)
    slack.limits.forget()
    return {"trouble": slack.trouble.as_json()}


async def disconnect(slack: LocalSlack, values: JSON) -> JSON:
    reason = str(values.get("reason") or "refresh_requested")
    if reason not in REASONS:
        raise SlackError("invalid_arguments", message=f"reason: {', '.join(REASONS)}")
    if reason == "mute":
        return {"connections": slack.sockets.mute_one()}
    return {"connections": await slack.sockets.disconnect(reason)}


async def reset(slack: LocalSlack, values: JSON) -> JSON:
    """Forget messages, statuses, views, calls and deliveries, and end all trouble."""
    slack.reset()
    return {}
