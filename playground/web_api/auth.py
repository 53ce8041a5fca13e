"""auth.test, bots.info, team.info, apps.connections.open: who the app is and how it connects."""

from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.web_api.method import Method

JSON = dict[str, Any]


def auth_test(slack: LocalSlack, args: Arguments) -> JSON:
    """auth.test"""
    roster = slack.roster
    return {
        "url": f"{slack.base_url}/",
        "team": roster.team_name,
        "user": roster.bot_user.name,
        "team_id": roster.team_id,
        "user_id": roster.bot_user.id,
        "bot_id": roster.bot_id,
        "is_enterprise_install": False,
    }


def api_test(slack: LocalSlack, args: Arguments) -> JSON:
    """api.test: says back what it was sent"""
    if args.text("error"):
        raise SlackError(args.text("error"), args=args.values)
    return {"args": args.values}


def bots_info(slack: LocalSlack, args: Arguments) -> JSON:
    """bots.info"""
    roster = slack.roster
    if args.text("bot", roster.bot_id) != roster.bot_id:
        raise SlackError("bot_not_found")
    bot = {
        "id": roster.bot_id,
        "deleted": False,
        "name": roster.bot_user.display_name,
        "updated": 1,
        "app_id": roster.app_id,
        "user_id": roster.bot_user.id,
        "icons": {},
    }
    return {"bot": bot}


def team_info(slack: LocalSlack, args: Arguments) -> JSON:
    """team.info"""
    roster = slack.roster
    if args.text("team", roster.team_id) != roster.team_id:
        raise SlackError("team_not_found")
    domain = roster.team_domain
    return {"team": {"id": roster.team_id, "name": roster.team_name, "domain": domain, "email_domain": "", "icon": {}}}


def connections_open(slack: LocalSlack, args: Arguments) -> JSON:
    """apps.connections.open"""
    if slack.trouble.sockets.refuse:
        raise SlackError("internal_error")
    base = slack.base_url.replace("http", "ws", 1)
    return {"url": f"{base}/link?ticket={slack.sockets.issue_ticket()}&app_id={slack.roster.app_id}"}


METHODS = {
    "api.test": Method(api_test, (), "4"),
    "auth.test": Method(auth_test, (), "special"),
    "bots.info": Method(bots_info, ("users:read",), "3"),
    "team.info": Method(team_info, ("team:read",), "3"),
    "apps.connections.open": Method(connections_open, ("connections:write",), "3", app_token=True),
}
