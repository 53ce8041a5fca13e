"""What people do: say, edit, delete, command, click, stop, react, join."""

from typing import Any

from playground import people
from playground.control.values import channel_of, message_of, text_of, user_of
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.reactions import add_reaction, remove_reaction

JSON = dict[str, Any]


async def say(slack: LocalSlack, values: JSON) -> JSON:
    message = people.say(
        slack,
        user_of(slack, values),
        channel_of(slack, values),
        text=str(values.get("text") or ""),
        thread_ts=str(values.get("thread_ts") or ""),
        broadcast=bool(values.get("broadcast")),
        files=values.get("files"),
    )
    return {"ts": message.ts, "thread_ts": message.root}


async def edit(slack: LocalSlack, values: JSON) -> JSON:
    people.edit(
        slack, user_of(slack, values), channel_of(slack, values), text_of(values, "ts"), text_of(values, "text")
    )
    return {}


async def delete(slack: LocalSlack, values: JSON) -> JSON:
    people.delete(slack, user_of(slack, values), channel_of(slack, values), text_of(values, "ts"))
    return {}


async def command(slack: LocalSlack, values: JSON) -> JSON:
    return await people.command(
        slack,
        user_of(slack, values),
        channel_of(slack, values),
        name=text_of(values, "command"),
        text=str(values.get("text") or ""),
        thread_ts=str(values.get("thread_ts") or ""),
    )


async def action(slack: LocalSlack, values: JSON) -> JSON:
    user, view, message = user_of(slack, values), None, None
    if values.get("view_id"):
        view = slack.views.get(text_of(values, "view_id"))
    else:
        message = message_of(slack, values, "message_ts")
    return await slack.interactivity.act(user, action=values, message=message, view=view)


async def shortcut(slack: LocalSlack, values: JSON) -> JSON:
    user, message = user_of(slack, values), message_of(slack, values, "message_ts")
    await slack.interactivity.shortcut(user, message, text_of(values, "callback_id"))
    return {}


async def view_submit(slack: LocalSlack, values: JSON) -> JSON:
    return await slack.interactivity.submit(
        user_of(slack, values), text_of(values, "view_id"), values.get("values") or {}
    )


async def view_close(slack: LocalSlack, values: JSON) -> JSON:
    await slack.interactivity.close_view(user_of(slack, values), text_of(values, "view_id"))
    return {}


async def stop(slack: LocalSlack, values: JSON) -> JSON:
    channel = channel_of(slack, values)
    return {"streaming_message_ts": people.stop(slack, user_of(slack, values), channel, text_of(values, "thread_ts"))}


async def rename_session(slack: LocalSlack, values: JSON) -> JSON:
    channel, thread_ts = channel_of(slack, values), text_of(values, "thread_ts")
    people.rename_session(slack, user_of(slack, values), channel, thread_ts, text_of(values, "title"))
    return {}


async def open_home(slack: LocalSlack, values: JSON) -> JSON:
    user, tab = user_of(slack, values), str(values.get("tab") or "home")
    if tab not in ("home", "messages"):
        raise SlackError("invalid_arguments", message="tab is home or messages")
    slack.events.home_opened(user.id, tab, slack.views.home(user.id))
    return {"view": slack.views.home(user.id)}


async def react(slack: LocalSlack, values: JSON) -> JSON:
    change = remove_reaction if values.get("remove") else add_reaction
    change(slack, message_of(slack, values, "ts"), text_of(values, "name"), user_of(slack, values).id)
    return {}


async def unfurl(slack: LocalSlack, values: JSON) -> JSON:
    people.unfurl(slack, channel_of(slack, values), text_of(values, "ts"))
    return {}


async def join(slack: LocalSlack, values: JSON) -> JSON:
    people.join(slack, user_of(slack, values), slack.workspace.channel(text_of(values, "channel")))
    return {}
