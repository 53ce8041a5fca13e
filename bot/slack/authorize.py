"""Tokens in, who we are out: asked once at start, so that no event ever waits for, or is lost to, an auth.test."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult

from bot.slack.calls import SlackCalls


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot in its workspace."""

    team_id: str
    user_id: str  # the bot's user
    bot_id: str
    enterprise_id: str = ""  # of an Enterprise Grid organisation
    team_name: str = ""

    def is_home(self, team_id: str) -> bool:
        """Whether a team, or the organisation it is named by, is the bot's own."""
        return team_id == self.team_id or bool(team_id and team_id == self.enterprise_id)


async def who_we_are(calls: SlackCalls) -> Identity:
    """Ask Slack; raises SlackRejected (`invalid_auth` and its like) for a token that is no good."""
    answer = await calls.call("auth.test")
    return Identity(
        team_id=str(answer.get("team_id") or ""),
        user_id=str(answer.get("user_id") or ""),
        bot_id=str(answer.get("bot_id") or ""),
        enterprise_id=str(answer.get("enterprise_id") or ""),
        team_name=str(answer.get("team") or ""),
    )


def authorization(us: Identity, token: Callable[[], str]) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Bolt's `authorize`: always the same answer, with the token of the moment.

    Bolt's own asks Slack, and where Slack stutters it acknowledges the event and drops it. Other teams' events are
    refused by name in the middleware.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=us.enterprise_id or None,
            team_id=us.team_id,
            bot_id=us.bot_id,
            bot_user_id=us.user_id,
            bot_token=token(),
        )

    return authorize
