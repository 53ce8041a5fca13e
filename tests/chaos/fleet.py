"""A folder in, a deployment to be mistreated out: a playground, Firestore, and bots that come and go."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bot.store import Mirror, open_mirror
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.tandem import Tandem, serving
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, JSON, Workspace
from tests.e2e.conftest import free_port

SETTLE_DELAYS_S = (0.3, 0.7, 1.5)  # the playground shows at once what was posted; Slack may need longer


@dataclass(slots=True)
class Fleet:
    """All that runs. `settings` are those of every bot; `start` may add to them."""

    path: Path
    workspace: Workspace
    settings: dict[str, str]
    bots: list[Tandem] = field(default_factory=list)
    started: int = 0
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, *, wait: bool = True, **more: str) -> Tandem:
        """One more bot; connected, unless nobody waits for that."""
        self.started += 1
        environment = {**self.settings, "PORT": str(free_port()), **more}
        bot = await self._stack.enter_async_context(
            serving(environment, self.path / f"bot-{self.started}.log", wait=wait)
        )
        self.bots.append(bot)
        return bot

    async def kill(self, bot: Tandem) -> None:
        """End it as the kernel would."""
        with suppress(ProcessLookupError):
            bot.process.kill()
        await bot.process.wait()
        self.bots.remove(bot)

    async def end(self, bot: Tandem) -> int:
        """Ask it to end, and how it did."""
        self.bots.remove(bot)
        return await bot.stop(60)

    async def freeze(self, bot: Tandem, seconds: float) -> None:
        """Stop it in mid-air for so long; it does not notice until it goes on."""
        bot.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            bot.process.send_signal(signal.SIGCONT)

    @property
    def log(self) -> Iterator[JSON]:
        """Every line that any of them has logged."""
        for number in range(1, self.started + 1):
            with (self.path / f"bot-{number}.log").open(encoding="utf-8") as lines:
                for line in lines:
                    with suppress(ValueError):
                        yield json.loads(line)

    async def mirror(self) -> Mirror:
        """The store, by a client of its own."""
        return await open_mirror(self.settings["TANDEM_STORE"], emulator_host=self.settings["FIRESTORE_EMULATOR_HOST"])

    async def close(self) -> None:
        """End the bots."""
        await self._stack.aclose()


@asynccontextmanager
async def deployed(
    path: Path, emulator: FirestoreEmulator, gemma_url: str, *, lease_s: float, **settings: str
) -> AsyncIterator[Fleet]:
    """A playground and a database that are new, and no bot yet."""
    async with Workspace() as workspace:
        fleet = Fleet(
            path,
            workspace,
            {
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "SLACK_APP_TOKEN": APP_TOKEN,
                "SLACK_API_URL": workspace.api_url,
                "GEMMA_URL": gemma_url,
                "TANDEM_STORE": f"firestore://p-{uuid4().hex[:12]}/tandem",
                "FIRESTORE_EMULATOR_HOST": emulator.host,
                "TANDEM_LEASE_S": str(lease_s),
                "TANDEM_SETTLE_S": ", ".join(map(str, SETTLE_DELAYS_S)),
                "TANDEM_SLACK_LIMITS": "off",
                **settings,
            },
        )
        try:
            yield fleet
        finally:
            await fleet.close()
