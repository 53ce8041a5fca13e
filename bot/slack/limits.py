"""Slack's numbers, each where Slack says it: how much fits, and how often one may call.

Rates hold per method, app and workspace (https://docs.slack.dev/apis/web-api/rate-limits). "20+ a minute" is
read as 20.
"""

from collections.abc import Mapping
from types import MappingProxyType

# https://docs.slack.dev/apis/web-api/rate-limits#tiers: calls a minute
TIER_2 = 20.0
TIER_3 = 50.0
TIER_4 = 100.0

DOCUMENTED: Mapping[str, float] = MappingProxyType(
    {
        "chat.startStream": TIER_2,  # https://docs.slack.dev/reference/methods/chat.startStream
        "chat.appendStream": TIER_4,  # https://docs.slack.dev/reference/methods/chat.appendStream
        "chat.stopStream": TIER_2,  # https://docs.slack.dev/reference/methods/chat.stopStream
        "chat.update": TIER_3,  # https://docs.slack.dev/reference/methods/chat.update
        "chat.delete": TIER_3,  # https://docs.slack.dev/reference/methods/chat.delete
        "chat.postMessage": 300.0,  # "several hundred messages per minute" a workspace, and see the channel's below
        "chat.postEphemeral": TIER_4,  # https://docs.slack.dev/reference/methods/chat.postEphemeral
        "agents.sessions.setStatus": TIER_3,  # https://docs.slack.dev/reference/methods/agents.sessions.setStatus
        "assistant.threads.setStatus": TIER_3,  # a special tier without a number: read as the third
        "assistant.threads.setSuggestedPrompts": TIER_4,
        "conversations.replies": TIER_3,  # https://docs.slack.dev/reference/methods/conversations.replies
        "conversations.history": TIER_3,  # https://docs.slack.dev/reference/methods/conversations.history
        "conversations.info": TIER_3,  # https://docs.slack.dev/reference/methods/conversations.info
        "conversations.members": TIER_4,  # https://docs.slack.dev/reference/methods/conversations.members
        "users.info": TIER_4,  # https://docs.slack.dev/reference/methods/users.info
        "views.open": TIER_4,  # https://docs.slack.dev/reference/methods/views.open
        "views.publish": TIER_4,  # https://docs.slack.dev/reference/methods/views.publish
        "views.update": TIER_4,  # https://docs.slack.dev/reference/methods/views.update
    }
)

# https://docs.slack.dev/reference/methods/chat.postMessage#rate_limiting: about one a second in each channel
POSTS_PER_CHANNEL_PER_MINUTE = 60.0
POSTS_PER_CHANNEL_BURST = 5.0

# https://docs.slack.dev/reference/block-kit/blocks/markdown-block: cumulative over a payload's markdown blocks; a
# stream as a whole holds about as much
MARKDOWN_CHARS = 12_000
# https://docs.slack.dev/reference/methods/chat.update#errors: msg_too_long; the recommended length of `text` elsewhere
TEXT_CHARS = 4_000
# https://docs.slack.dev/reference/block-kit/blocks/section-block
SECTION_CHARS = 3_000
# https://docs.slack.dev/reference/block-kit/composition-objects/option-object, and the button element
OPTION_TEXT_CHARS = 75
OPTION_VALUE_CHARS = 150
SELECT_OPTIONS = 100
# https://docs.slack.dev/reference/block-kit/blocks#common-fields
BLOCK_ID_CHARS = 255
# https://docs.slack.dev/reference/block-kit/blocks/table-block
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_CHARS = 10_000
