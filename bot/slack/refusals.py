"""Slack's words for its refusals in, what they mean for a reply out."""

# The thread or channel takes no message of ours: no other way of showing the answer would do better.
NOWHERE = frozenset(
    {
        "account_inactive",
        "cannot_reply_to_message",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "not_authed",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "team_not_found",
        "thread_not_found",
        "token_expired",
        "token_revoked",
    }
)
# This team's Slack does not have the method, or not for this app: not worth asking again.
NO_SUCH_METHOD = frozenset(
    {
        "feature_disabled",
        "feature_not_enabled",
        "method_deprecated",
        "not_allowed_token_type",
        "not_supported",
        "unknown_method",
    }
)
# The message is gone; nothing more can be shown in it.
MESSAGE_GONE = frozenset({"message_not_found"})
# The message stays as it is, but cannot be changed any more.
NOT_EDITABLE = frozenset(
    {"cant_update_message", "edit_window_closed", "message_not_owned_by_app", "update_not_allowed", "unknown_method"}
)
# Slack does not take the blocks; the same text without them it may.
BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_blocks_too_long", "markdown_text_too_long"}
)
STREAM_OVER = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
STOPPED_BY_USER = "stopped_by_user"
STILL_STREAMING = "streaming_state_conflict"
