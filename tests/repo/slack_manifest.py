"""What Slack takes of the manifest's fields that an app such as this one has, in our own words.

After the JSON schema of version 2 that Slack publishes (github.com/slackapi/manifest-schema, 0.5.0): names, types,
lengths, what must be there. A field that is not here is refused, though Slack may know it.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Url = Annotated[str, Field(max_length=3000, pattern=r"^https://[^/\s]+/\S*$")]
Word = Annotated[str, Field(max_length=50, pattern=r"^[a-z_.:]+$")]


class Part(BaseModel):
    """Nothing beyond the fields that are named, and no text taken for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Metadata(Part):
    major_version: Annotated[int, Field(ge=2, le=2)]


class DisplayInformation(Part):
    name: Annotated[str, Field(min_length=1, max_length=35)]
    description: Annotated[str, Field(min_length=1, max_length=140)]
    background_color: Annotated[str, Field(pattern=r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]


class BotUser(Part):
    display_name: Annotated[str, Field(min_length=1, max_length=80)]
    always_online: bool


class SuggestedPrompt(Part):
    title: str
    message: str


class AgentView(Part):
    agent_description: Annotated[str, Field(max_length=300)]
    suggested_prompts: Annotated[list[SuggestedPrompt], Field(max_length=4)]


class AppHome(Part):
    home_tab_enabled: bool
    messages_tab_enabled: bool
    messages_tab_read_only_enabled: bool


class SlashCommand(Part):
    command: Annotated[str, Field(max_length=32, pattern=r"^/\S+$")]
    description: Annotated[str, Field(min_length=1, max_length=2000)]
    usage_hint: Annotated[str, Field(min_length=1, max_length=1000)]
    should_escape: bool
    url: Url | None = None


class Features(Part):
    bot_user: BotUser
    agent_view: AgentView
    app_home: AppHome
    slash_commands: Annotated[list[SlashCommand], Field(min_length=1, max_length=50)]


class Scopes(Part):
    bot: Annotated[list[Word], Field(max_length=255)]


class OAuth(Part):
    scopes: Scopes


class EventSubscriptions(Part):
    request_url: Url | None = None
    bot_events: Annotated[list[Word], Field(max_length=100)]


class Interactivity(Part):
    is_enabled: bool
    request_url: Url | None = None


class Settings(Part):
    event_subscriptions: EventSubscriptions
    interactivity: Interactivity
    org_deploy_enabled: bool
    socket_mode_enabled: bool
    token_rotation_enabled: bool


class Manifest(Part):
    metadata: Annotated[Metadata, Field(alias="_metadata")]
    display_information: DisplayInformation
    features: Features
    oauth_config: OAuth
    settings: Settings
