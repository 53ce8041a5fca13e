"""What only the Firestore stores promise: documents that say when they go, and nobody's clock but Google's."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from google.cloud.firestore import AsyncClient

from bot.conversation.mirror import Signal, Taken
from bot.conversation.thread import Channel, Person
from bot.conversation.turn import Part
from bot.errors import LeaseLost, StoreUnusable
from bot.store.address import FirestoreAddress, parse_address
from bot.store.firestore import FirestoreDatabase, open_database
from bot.store.indexes import TTL, TTL_FIELD
from bot.store.lifetimes import Lifetimes
from tests.doubles.replicas import KEY, LEASE_S, Replicas, answered, asked, take, ts


@pytest.fixture
async def database(firestore: Replicas) -> AsyncIterator[FirestoreDatabase]:
    """The documents themselves."""
    address = parse_address(firestore.address)
    assert isinstance(address, FirestoreAddress)
    database = await open_database(address, Lifetimes(), emulator_host=firestore.emulator_host, now=time.time)
    yield database
    await database.close()


async def everything(client: AsyncClient) -> dict[str, dict[str, Any]]:
    """Every document, by its path."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [collection async for collection in client.collections()]
    while waiting:
        async for reference in waiting.pop().list_documents():
            snapshot = await reference.get()
            found |= {reference.path: snapshot.to_dict() or {}} if snapshot.exists else {}
            waiting += [collection async for collection in reference.collections()]
    return found


@pytest.mark.parametrize("version", [0, 2, 7])
async def test_a_foreign_schema_is_refused(firestore: Replicas, database: FirestoreDatabase, version: int) -> None:
    await database.client.document("meta", "schema").set({"version": version})

    with pytest.raises(StoreUnusable, match=rf"holds schema {version}, and this Tandem reads 1\. .*name another store"):
        await firestore.open()


async def test_every_document_says_when_it_goes_and_which_schema_it_has(
    firestore: Replicas, database: FirestoreDatabase
) -> None:
    mirror = await firestore.open()
    turn, question = asked()
    await mirror.turns.accept(turn, question, client_msg_id="m1")
    taken = await take(mirror.turns)
    parts = (Part(ts(1), "edit"), Part(ts(2), "edit"))
    await mirror.turns.save(taken.lease, replace(taken.turn, parts=parts), answer=answered(turn, ts(1)))
    await mirror.threads.edit(KEY, ts(7), "early", ts(8))
    await mirror.threads.delete(KEY, ts(9))
    await mirror.turns.signal("a", Signal("stop", KEY, ts(1)))
    await mirror.threads.save_person(Person("T0ACME", "U0ANN"))
    await mirror.threads.save_channel(Channel("T0ACME", "C0GENERAL"))

    documents = await everything(database.client)

    kept = {path: document for path, document in documents.items() if path != "meta/schema"}
    assert {path.split("/")[-2] for path in kept} == set(TTL)
    assert [path for path, document in kept.items() if TTL_FIELD not in document] == []
    assert [path for path, document in kept.items() if document["schema"] != 1] == []


async def test_a_tombstone_keeps_no_word_and_no_name(firestore: Replicas, database: FirestoreDatabase) -> None:
    mirror = await firestore.open()
    turn, question = asked(text="my password is hunter2")
    await mirror.turns.accept(turn, replace(question, name="Ann"))

    await mirror.threads.delete(KEY, question.ts)

    (found,) = await database.get(database.message(KEY, question.ts))
    assert set(found.to_dict() or {}) == {"schema", "deleted", "expireAt"}


async def test_a_lease_is_judged_by_the_servers_clock(firestore: Replicas) -> None:
    """This process's clock, whatever it says, has no part in it."""
    ahead = await firestore.open(now=lambda: time.time() + 3_600)
    await ahead.turns.accept(*asked())
    await take(ahead.turns, owner="ahead")
    behind = await firestore.open(now=lambda: time.time() - 3_600)

    for mirror in (ahead, behind):
        assert not isinstance(await mirror.turns.take(KEY, "taker", LEASE_S), Taken)
        assert await mirror.turns.overdue(LEASE_S, 10) == []


async def test_a_turn_of_an_erased_person_cannot_be_finished(firestore: Replicas) -> None:
    mirror = await firestore.open()
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)

    await mirror.threads.erase_person("T0ACME", "U0ANN")

    with pytest.raises(LeaseLost, match="erased"):
        await mirror.turns.save(taken.lease, taken.turn, answer=answered(turn, ts(1)))
    assert await mirror.threads.messages(KEY) == []
