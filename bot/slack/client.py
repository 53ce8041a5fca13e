"""Token and address in, slack_sdk's client out: one shared session, nothing re-sent behind our back."""

from types import TracebackType
from typing import Self

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

SLACK_API_URL = "https://slack.com/api/"
TOTAL_TIMEOUT_S = 30.0


class SlackConnection:
    """An AsyncWebClient and the HTTP session under it; closes the session when left. Make it inside a running loop."""

    def __init__(self, token: str, *, base_url: str = SLACK_API_URL, proxy: str = "") -> None:
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_S))
        self.client = AsyncWebClient(token=token, base_url=base_url, session=self.session, retry_handlers=[])
        # slack_sdk takes HTTPS_PROXY from the environment, for loopback addresses too: only what is given counts
        self.client.proxy = proxy or None

    def with_token(self, token: str) -> AsyncWebClient:
        """A client of another token on the same session."""
        twin = AsyncWebClient(token=token, base_url=self.client.base_url, session=self.session, retry_handlers=[])
        twin.proxy = self.client.proxy
        return twin

    async def close(self) -> None:
        """Close the session and its connections."""
        await self.session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
