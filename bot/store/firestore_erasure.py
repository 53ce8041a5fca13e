"""A person in, the number of their documents that went out: page by page, each page settled before the next."""

from functools import partial

from google.cloud.firestore import AsyncQuery, FieldFilter, Increment

from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_calls import settle
from bot.store.firestore_save import thread_change
from bot.store.merging import tombstone
from bot.store.schema import Collection

_PAGE = 100


async def erase(database: FirestoreDatabase, team_id: str, user_id: str) -> int:
    """Tombstones for what they said and for what they were answered; their turns, claims and preferences deleted."""
    gone = 0
    for field in ("userId", "askerId"):
        messages = database.client.collection_group(Collection.MESSAGES)
        query = messages.where(filter=FieldFilter(field, "==", user_id)).limit(_PAGE)
        while count := await settle(partial(_bury, database, query)):
            gone += count
    turns = database.client.collection(Collection.TURNS).where(filter=FieldFilter("askerId", "==", user_id))
    while count := await settle(partial(_delete_turns, database, turns.limit(_PAGE))):
        gone += count
    threads = database.client.collection(Collection.THREADS).where(filter=FieldFilter("starterId", "==", user_id))
    while await settle(partial(_forget_starter, database, threads.limit(_PAGE))):
        pass
    return gone + await settle(partial(_delete_person, database, team_id, user_id))


async def _bury(database: FirestoreDatabase, query: AsyncQuery, _: int) -> int:
    found = await database.query(query)
    if not found:
        return 0
    threads = {each.reference.parent.parent.path: each.reference.parent.parent for each in found}
    batch = database.batch()
    for each in found:
        batch.replace(each, tombstone() | {"expireAt": (data(each) or {})["expireAt"]})
    for thread in await database.get(*threads.values()):
        if thread.exists:
            batch.update(thread.reference, thread_change(database))
    await batch.commit()
    return len(found)


async def _delete_turns(database: FirestoreDatabase, query: AsyncQuery, _: int) -> int:
    found = await database.query(query)
    claims = [claim for each in found if (claim := (data(each) or {}).get("claim"))]
    if not found:
        return 0
    batch = database.batch()
    for each in found:
        batch.delete(each.reference)
    for claim in claims:
        batch.delete(database.claim(claim))
    await batch.commit()
    return len(found) + len(claims)


async def _forget_starter(database: FirestoreDatabase, query: AsyncQuery, _: int) -> int:
    found = await database.query(query)
    if not found:
        return 0
    batch = database.batch()
    for each in found:
        batch.update(each.reference, {"starterId": "", "title": "", "revision": Increment(1)})
    await batch.commit()
    return len(found)


async def _delete_person(database: FirestoreDatabase, team_id: str, user_id: str, _: int) -> int:
    (found,) = await database.get(database.person(team_id, user_id))
    if not found.exists:
        return 0
    batch = database.batch()
    batch.delete(found.reference)
    await batch.commit()
    return 1
