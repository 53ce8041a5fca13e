"""BotErrors in, one sentence each out for the person who runs the bot: what is wrong, and what to do."""

from bot.errors import BotError, SlackRateLimited, SlackRejected, SlackUnavailable, StoreUnavailable
from bot.slack.manifest import missing_scope

# Slack's words for a token that it does not take.
BAD_TOKENS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)


def sentence(error: BotError) -> str:
    """What an operator should read about an error that ended a command or a check."""
    match error:
        case SlackRejected():
            return rejected(error)
        case SlackRateLimited():
            return f"Slack asks for patience: {error}."
        case SlackUnavailable():
            return f"Slack cannot be reached: {error}. Check the network, a proxy, and SLACK_API_URL."
        case StoreUnavailable():
            return f"The store cannot be reached: {error} Check TANDEM_STORE and the network."
        case _:
            return str(error)


def rejected(error: SlackRejected) -> str:
    """Slack's refusal, with the setting or the manifest's line that mends it."""
    if error.slack_code == "missing_scope":
        return f"Slack refused {error.method}. " + " ".join(map(missing_scope, error.needed.split(",")))
    if error.slack_code in BAD_TOKENS:
        setting = "SLACK_APP_TOKEN" if error.method == "apps.connections.open" else "SLACK_BOT_TOKEN"
        return f"Slack does not take {setting} ({error.slack_code}): copy it once more from your app's page."
    return f"Slack refused {error.method}: {error.slack_code}."


def port_in_use(host: str, port: int) -> str:
    """A port that somebody else listens on."""
    return f"Port {port} is in use on {host} already: stop what listens there, or choose another one."
