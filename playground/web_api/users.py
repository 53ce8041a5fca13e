"""users.*: the people of the workspace."""

from typing import Any

from playground.arguments import Arguments
from playground.local_slack import LocalSlack
from playground.roster import User
from playground.web_api.method import Method
from playground.web_api.paging import page

JSON = dict[str, Any]


def users_info(slack: LocalSlack, args: Arguments) -> JSON:
    """users.info"""
    user = slack.workspace.user(args.required("user"))
    shown = user.as_slack()
    if user.team_id != slack.roster.team_id:
        shown["is_stranger"] = not _shares_a_channel(slack, user)
    return {"user": {**shown, "locale": "en-GB"} if args.flag("include_locale") else shown}


def _shares_a_channel(slack: LocalSlack, user: User) -> bool:
    """Whether the app meets somebody of another workspace anywhere."""
    bot = slack.roster.bot_user.id
    return any(user.id in c.members and bot in c.members for c in slack.roster.channels.values())


def users_list(slack: LocalSlack, args: Arguments) -> JSON:
    """users.list: the workspace's own people"""
    own = [user for user in slack.roster.users.values() if user.team_id == slack.roster.team_id]
    users, metadata = page(own, args, default=1000)
    return {"members": [user.as_slack() for user in users], "cache_ts": 1, "response_metadata": metadata}


def users_conversations(slack: LocalSlack, args: Arguments) -> JSON:
    """users.conversations: those the app (or a named user) is in"""
    user_id = args.text("user", slack.roster.bot_user.id)
    slack.workspace.user(user_id)
    bot = slack.roster.bot_user.id
    inside = [
        channel
        for channel in slack.roster.channels.values()
        if user_id in channel.members and slack.workspace.may_see(channel, bot)
    ]
    channels, metadata = page(inside, args, default=100)
    team = slack.roster.team_id
    return {"channels": [c.as_slack(team, bot) for c in channels], "response_metadata": metadata}


METHODS = {
    "users.info": Method(users_info, ("users:read",), "4"),
    "users.list": Method(users_list, ("users:read",), "2"),
    "users.conversations": Method(users_conversations, ("channels:read", "groups:read", "im:read"), "3"),
}
