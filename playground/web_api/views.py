"""views.*: modals and App Home."""

from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.web_api.method import Method

JSON = dict[str, Any]


def open_(slack: LocalSlack, args: Arguments) -> JSON:
    """views.open"""
    user_id = slack.interactivity.triggers.exchange(args.required("trigger_id"))
    return {"view": slack.views.open(user_id, _view(args))}


def push(slack: LocalSlack, args: Arguments) -> JSON:
    """views.push"""
    user_id = slack.interactivity.triggers.exchange(args.required("trigger_id"))
    return {"view": slack.views.push(user_id, _view(args))}


def update(slack: LocalSlack, args: Arguments) -> JSON:
    """views.update"""
    external_id = args.text("external_id")
    view = slack.views.update(args.text("view_id"), _view(args), external_id=external_id, hash_=args.text("hash"))
    return {"view": view}


def publish(slack: LocalSlack, args: Arguments) -> JSON:
    """views.publish"""
    if not slack.manifest.home_tab:
        raise SlackError("not_enabled")
    user = slack.workspace.user(args.required("user_id"))
    return {"view": slack.views.publish(user.id, _view(args), hash_=args.text("hash"))}


def _view(args: Arguments) -> Any:
    return args.structure("view", "invalid_arguments")


METHODS = {
    "views.open": Method(open_, (), "4"),
    "views.push": Method(push, (), "4"),
    "views.update": Method(update, (), "4"),
    "views.publish": Method(publish, (), "4"),
}
