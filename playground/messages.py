"""What an app or a person wants to post in, a message as Slack would store it out."""

from dataclasses import dataclass
from typing import Any

from playground.arguments import Arguments
from playground.blocks import MARKDOWN_CHARS, TEXT_CHARS, check_message_blocks, check_metadata
from playground.entities import has_link, live_entities
from playground.errors import SlackError
from playground.roster import Roster, User
from playground.workspace import Message, Workspace

JSON = dict[str, Any]

BLOCKS_ONLY = "This content can't be displayed."  # what Slack stores as `text` of a message with blocks alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content of a message, checked against Slack's limits."""

    text: str | None = None
    blocks: list[JSON] | None = None
    markdown_text: str | None = None
    attachments: list[JSON] | None = None
    metadata: JSON | None = None
    files: list[JSON] | None = None

    @classmethod
    def read(cls, values: JSON, *, text_limit: int | None = None) -> "Draft":
        """From a call's arguments or a response's JSON.

        `text_limit` is what `text` may not exceed; otherwise text beyond 40,000 characters is cut, as Slack does.
        Raises SlackError no_text, msg_too_long, markdown_text_conflict, invalid_blocks, invalid_metadata_…
        """
        args = Arguments(values)
        text = args.text("text") if args.given("text") else None
        blocks = args.items("blocks", "invalid_blocks_format")
        attachments = args.items("attachments", "invalid_attachments")
        markdown = args.text("markdown_text") if args.given("markdown_text") else None
        if markdown is not None and (text is not None or blocks is not None):
            raise SlackError("markdown_text_conflict")
        if not (text or blocks or markdown or attachments):
            raise SlackError("no_text")
        if len(markdown or "") > MARKDOWN_CHARS or (text_limit and len(text or "") > text_limit):
            raise SlackError("msg_too_long")
        return cls(
            text=text[:TEXT_CHARS] if text is not None else None,
            blocks=check_message_blocks(blocks) if blocks else None,
            markdown_text=markdown,
            attachments=attachments,
            metadata=check_metadata(args.structure("metadata", "invalid_metadata_format")),
        )

    def content(self) -> JSON:
        """The content keys of the message object; an update replaces exactly these."""
        if self.markdown_text is not None:
            block = {"type": "markdown", "block_id": "b00", "text": self.markdown_text}
            return {"text": self.markdown_text, "blocks": [block]}
        content: JSON = {"text": self.text or (BLOCKS_ONLY if self.blocks else ""), "blocks": self.blocks or []}
        return content if self.attachments is None else {**content, "attachments": self.attachments}


@dataclass(frozen=True, slots=True)
class Author:
    """The keys of a message object that say who wrote it."""

    keys: JSON

    @classmethod
    def of_app(cls, roster: Roster, *, username: str = "", icon: JSON | None = None) -> "Author":
        """The app's bot user, or the name and icon it gives itself."""
        profile = {
            "id": roster.bot_id,
            "app_id": roster.app_id,
            "user_id": roster.bot_user.id,
            "name": username or roster.bot_user.display_name,
            "icons": icon or {},
            "deleted": False,
            "updated": 1,
            "team_id": roster.team_id,
        }
        keys = {
            "user": roster.bot_user.id,
            "bot_id": roster.bot_id,
            "app_id": roster.app_id,
            "team": roster.team_id,
            "bot_profile": profile,
        }
        return cls({**keys, "username": username} if username else keys)

    @classmethod
    def of_user(cls, roster: Roster, user: User, client_msg_id: str) -> "Author":
        """A person, or another app's bot; one of another workspace (Slack Connect) is marked as Slack marks them."""
        keys = {"user": user.id, "team": user.team_id}
        keys |= {"bot_id": user.bot_id} if user.is_bot else {"client_msg_id": client_msg_id}
        abroad = user.team_id != roster.team_id
        return cls({**keys, "user_team": user.team_id, "source_team": user.team_id} if abroad else keys)


def make_message(
    workspace: Workspace,
    channel: str,
    author: Author,
    draft: Draft,
    *,
    root: str = "",
    visible_to: str | None = None,
    unfurl: bool = False,
    subtype: str = "",
) -> Message:
    """A message that is ready to be posted. `root` is the thread's ts for a reply."""
    ts = workspace.next_ts()
    data: JSON = {"type": "message", **author.keys, **draft.content(), "ts": ts}
    if subtype:
        data["subtype"] = subtype
    if root:
        data["thread_ts"] = root
        parent = workspace.timeline(channel).messages.get(root)
        if parent is not None:
            data["parent_user_id"] = parent.author
    if draft.metadata:
        data["metadata"] = draft.metadata
    if draft.files:
        data["files"] = draft.files
    if visible_to is not None:
        data["is_ephemeral"] = True
    live = live_entities(data)
    return Message(
        channel=channel,
        ts=ts,
        root=root or ts,
        data=data,
        visible_to=visible_to,
        unfurls=unfurl and has_link(live),
        live=live,
        was_live=list(live),
    )


def edit_message(workspace: Workspace, message: Message, editor: str, changes: JSON) -> None:
    """Change a message's content and mark it as edited; a key that becomes None goes."""
    edited = {"edited": {"user": editor, "ts": workspace.next_ts()}}
    data = {key: value for key, value in {**message.data, **changes, **edited}.items() if value is not None}
    message.live = live_entities(data)
    message.was_live.extend(entity for entity in message.live if entity not in message.was_live)
    workspace.change(message, data)
