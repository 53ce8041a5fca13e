"""files.*: upload by URL, and what is known of a file."""

from typing import Any

from playground.arguments import Arguments
from playground.errors import SlackError
from playground.local_slack import LocalSlack
from playground.messages import Author, Draft, make_message
from playground.web_api.method import Method, thread_root, writable_channel

JSON = dict[str, Any]


def info(slack: LocalSlack, args: Arguments) -> JSON:
    """files.info"""
    file = slack.files.as_slack(slack.files.get(args.required("file")))
    return {"file": file, "comments": [], "response_metadata": {"next_cursor": ""}}


def get_upload_url(slack: LocalSlack, args: Arguments) -> JSON:
    """files.getUploadURLExternal"""
    length = args.integer("length", 0, low=0, high=10**12)
    file = slack.files.announce(args.required("filename"), length, slack.roster.bot_user.id)
    return {"upload_url": f"{slack.base_url}/files/upload/{file.upload_token}", "file_id": file.id}


def complete_upload(slack: LocalSlack, args: Arguments) -> JSON:
    """files.completeUploadExternal: shares the files where it is told to"""
    given = args.items("files", "invalid_arguments")
    if not given:
        raise SlackError("invalid_arguments")
    files = [slack.files.get(str(entry.get("id", ""))) for entry in given]
    for file, entry in zip(files, given, strict=True):
        file.title = str(entry.get("title") or file.title)
    shown = [slack.files.as_slack(file) for file in files]
    if args.text("channel_id"):
        channel = writable_channel(slack, args.text("channel_id"))
        root = thread_root(slack, channel, args.text("thread_ts"))
        author = Author.of_app(slack.roster)
        draft = Draft(text=args.text("initial_comment"), files=shown)
        slack.workspace.post(
            make_message(slack.workspace, channel.id, author, draft, root=root, subtype="file_share", unfurl=True)
        )
    return {"files": shown}


METHODS = {
    "files.info": Method(info, ("files:read",), "4"),
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), "4"),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), "4"),
}
