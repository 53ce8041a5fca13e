"""Who and what is in a workspace: facts in, Slack's own objects for users and channels out."""

from dataclasses import dataclass, field
from typing import Any, Literal

JSON = dict[str, Any]
ChannelType = Literal["channel", "group", "mpim", "im"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, a guest, or the app's bot user."""

    id: str
    team_id: str
    name: str
    real_name: str
    display_name: str
    color: str = "#5b6470"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_owner: bool = False
    bot_id: str = ""

    def as_slack(self) -> JSON:
        """The user object of users.info."""
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": False,
            "color": self.color.lstrip("#"),
            "tz": "Europe/London",
            "tz_label": "Greenwich Mean Time",
            "tz_offset": 0,
            "profile": self.profile(),
            "is_admin": self.is_owner,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_owner,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1,
        }

    def profile(self) -> JSON:
        """The profile part of the user object; a bot's names its bot id."""
        profile = {
            "real_name": self.real_name,
            "display_name": self.display_name,
            "real_name_normalized": self.real_name,
            "display_name_normalized": self.display_name,
            "team": self.team_id,
        }
        return {**profile, "bot_id": self.bot_id, "api_app_id": ""} if self.is_bot else profile


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel or a direct message with the app, and who is in it."""

    id: str
    name: str
    type: ChannelType = "channel"
    members: list[str] = field(default_factory=list)
    topic: str = ""
    user: str = ""
    is_archived: bool = False
    is_ext_shared: bool = False
    team_ids: tuple[str, ...] = ()
    """The workspaces that share it, for a channel of Slack Connect."""

    def as_slack(self, team_id: str, member_id: str) -> JSON:
        """The channel object of conversations.info, as `member_id` sees it."""
        shared: JSON = {
            "id": self.id,
            "created": 1,
            "is_archived": self.is_archived,
            "is_im": self.type == "im",
            "is_org_shared": False,
            "is_ext_shared": self.is_ext_shared,
            "is_shared": self.is_ext_shared,
            "is_mpim": self.type == "mpim",
            "context_team_id": team_id,
            "updated": 1,
        }
        if self.is_ext_shared:
            others = [id for id in self.team_ids if id != team_id]
            shared |= {"shared_team_ids": list(self.team_ids), "connected_team_ids": others}
        if self.type == "im":
            return {**shared, "user": self.user, "is_user_deleted": False, "priority": 0}
        return {
            **shared,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.type == "channel",
            "is_group": self.type in ("group", "mpim"),
            "is_private": self.type in ("group", "mpim"),
            "is_general": self.name == "general",
            "is_member": member_id in self.members,
            "creator": self.members[0] if self.members else "",
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }


@dataclass(slots=True, kw_only=True)
class Roster:
    """Who and what is in the workspace, apart from messages."""

    team_id: str
    team_name: str
    team_domain: str
    app_id: str
    bot_id: str
    bot_user: User
    users: dict[str, User]
    channels: dict[str, Channel]

    @property
    def owner(self) -> str:
        """The user who may delete others' messages."""
        return next((user.id for user in self.users.values() if user.is_owner), "")

    def direct_message(self, user_id: str) -> Channel | None:
        """The direct message between the app and a user."""
        return next((c for c in self.channels.values() if c.type == "im" and c.user == user_id), None)

    def group_message(self, user_ids: set[str]) -> tuple[Channel, bool]:
        """The group direct message of the app and these people, and whether it was there already."""
        members = {*user_ids, self.bot_user.id}
        for channel in self.channels.values():
            if channel.type == "mpim" and set(channel.members) == members:
                return channel, True
        names = "--".join(sorted(self.users[id].name for id in members))
        number = sum(channel.type == "mpim" for channel in self.channels.values()) + 1
        channel = Channel(id=f"G0GROUP{number}", name=f"mpdm-{names}-1", type="mpim", members=sorted(members))
        self.channels[channel.id] = channel
        return channel, False
