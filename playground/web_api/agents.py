"""agents.sessions.* and assistant.threads.*: statuses, titles and suggested prompts."""

from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.roster import Channel
from playground.web_api.chat import author
from playground.web_api.method import Method, thread_root, writable_channel

JSON = dict[str, Any]

_RESERVED_NAMES = ("slackbot", "slack")


def set_status(slack: LocalSlack, args: Arguments) -> JSON:
    """agents.sessions.setStatus"""
    channel = _session_channel(slack, args)
    thread_ts = _session_thread(slack, channel, args)
    author(slack, args)
    initiator = args.text("initiator_user_id")
    if initiator:
        slack.workspace.user(initiator)
    session = slack.sessions.set_status(
        channel.id, thread_ts, args.required("status"), title=args.text("title"), initiator=initiator
    )
    answer: JSON = {"status": session.status, "agent_status": session.status, "title": session.title}
    if "agent_session_stopped" not in slack.manifest.events:
        warning = "missing_agent_session_stopped_event_subscription"
        answer |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return answer


def rename(slack: LocalSlack, args: Arguments) -> JSON:
    """agents.sessions.rename"""
    channel = _session_channel(slack, args)
    session = slack.sessions.rename(channel.id, _session_thread(slack, channel, args), args.text("title"))
    return {"title": session.title}


def set_thread_status(slack: LocalSlack, args: Arguments) -> JSON:
    """assistant.threads.setStatus"""
    channel = writable_channel(slack, args.required("channel_id"))
    root = thread_root(slack, channel, args.required("thread_ts"), error="invalid_thread_ts")
    loading = args.structure("loading_messages", "invalid_arguments") or []
    author(slack, args)
    if args.text("username").lower() in _RESERVED_NAMES:
        raise SlackError("reserved_username")
    if not args.given("status") or not isinstance(loading, list) or len(loading) > 10:
        raise SlackError("invalid_arguments")
    slack.sessions.set_text(channel.id, root, args.text("status"), [str(line) for line in loading])
    return {}


def set_title(slack: LocalSlack, args: Arguments) -> JSON:
    """assistant.threads.setTitle"""
    channel = writable_channel(slack, args.required("channel_id"))
    root = thread_root(slack, channel, args.required("thread_ts"), error="invalid_thread_ts")
    title = args.required("title")
    session = slack.sessions.find(channel.id, root)
    if session is None:
        session = slack.sessions.set_text(channel.id, root, "", [])
    slack.sessions.rename(channel.id, root, title[:200])
    return {}


def set_suggested_prompts(slack: LocalSlack, args: Arguments) -> JSON:
    """assistant.threads.setSuggestedPrompts"""
    if not slack.manifest.is_agent:
        raise SlackError("not_agent_app")
    channel = writable_channel(slack, args.required("channel_id"))
    thread_root(slack, channel, args.text("thread_ts"), error="invalid_thread_ts")
    prompts = args.items("prompts", "invalid_arguments")
    if not prompts or len(prompts) > 4 or not all(p.get("title") and p.get("message") for p in prompts):
        raise SlackError("invalid_arguments")
    slack.live.on_prompts(channel.id, args.text("title"), prompts)
    return {}


def _session_channel(slack: LocalSlack, args: Arguments) -> Channel:
    """Sessions are refused with codes of their own."""
    if not slack.manifest.is_agent:
        raise SlackError("feature_disabled")
    try:
        return writable_channel(slack, args.required("channel_id"))
    except SlackError as error:
        raise (SlackError("not_authorized") if error.code == "not_in_channel" else error) from None


def _session_thread(slack: LocalSlack, channel: Channel, args: Arguments) -> str:
    if not args.text("thread_ts"):
        raise SlackError("thread_ts_required")
    return thread_root(slack, channel, args.text("thread_ts"), error="invalid_arguments")


_WRITE = ("chat:write",)
METHODS = {
    "agents.sessions.setStatus": Method(set_status, _WRITE, "3"),
    "agents.sessions.rename": Method(rename, _WRITE, "3"),
    "assistant.threads.setStatus": Method(set_thread_status, ("chat:write", "assistant:write"), "special"),
    "assistant.threads.setTitle": Method(set_title, ("assistant:write",), "4"),
    "assistant.threads.setSuggestedPrompts": Method(set_suggested_prompts, ("assistant:write",), "4"),
}
