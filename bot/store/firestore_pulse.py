"""A pulse in, the day's outages out: one small document for all processes, written by each a few times a minute."""

from collections.abc import Sequence

from bot.conversation.mirror import Outage
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_calls import settle
from bot.store.pulse import beaten, outages_of


async def pulse(database: FirestoreDatabase, missed: Sequence[Outage], silent_s: float) -> Sequence[Outage]:
    """See TurnStore. Repeating it does no harm: outages that overlap are one."""

    async def attempt(_: int) -> Sequence[Outage]:
        (found,) = await database.get(database.pulse())
        document = beaten(data(found), database.server_now().timestamp(), missed, silent_s)
        batch = database.batch()
        batch.replace(found, document)
        await batch.commit()
        return outages_of(document)

    return await settle(attempt)
