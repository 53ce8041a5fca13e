"""A core with a root answered in, an outage and the message that ends it out: what tests of repairs have in common."""

from bot.conversation.arrival import Arrival
from tests.doubles.core import Core
from tests.doubles.sayings import ROOT_TS, arrival, ts
from tests.doubles.scripted_model import ScriptedModel

ROOT = arrival("hi", mentions_us=True)


class Clock:
    """Epoch seconds, as the test says."""

    def __init__(self) -> None:
        self.at = float(ROOT_TS)

    def __call__(self) -> float:
        """Now."""
        return self.at


async def after_outage(bot: Core, clock: Clock, *unheard: Arrival, seconds: int, last: Arrival) -> None:
    """These were never heard of; then, so many seconds after the root, the outage ends and the last one arrives."""
    bot.outages.missed(unheard[0].message.ts if unheard else ts(1))
    clock.at = float(ts(seconds))
    bot.people.said += [*unheard, last]
    await bot.intake.message(last)
    await bot.settled()


def asked_for(bot: Core) -> list[str]:
    """The last words of each prompt."""
    model: ScriptedModel = bot.models["gemma"]
    return [prompt.turns[-1].text.split(": ")[-1] for prompt in model.prompts]


def listed(bot: Core) -> list[str]:
    """What askers were told that was not answered."""
    endings = [shown.ending for shown in bot.transcript.shown if shown.ending]
    return [ending.facts["list"] for ending in endings if ending.error_code == "missed"]
