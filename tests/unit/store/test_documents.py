"""Every noun comes back from its document as it went in, through JSON too."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.mirror import Signal
from bot.conversation.thread import Channel, Message, Person, Thread, ThreadKey
from bot.conversation.turn import Turn
from bot.store import documents
from bot.store.indexes import COLLECTION_GROUP, COMPOSITE, TTL, UNINDEXED
from bot.store.schema import Collection

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.builds(ThreadKey, st.from_regex(r"[CDG][A-Z0-9]{8}", fullmatch=True), st.just("1700000000.000100"))


def through_json(document: Any) -> Any:
    """As a row holds it."""
    return json.loads(json.dumps(document))


@given(st.builds(Turn, id=texts, thread=keys, question_ts=texts, team_id=texts, asker_id=texts, asker_team_id=texts))
def test_a_turn_comes_back(turn: Turn) -> None:
    assert documents.read_turn(turn.id, through_json(documents.turn_document(turn))) == turn


@given(st.builds(Message, thread=keys, ts=texts, text=texts, user_id=texts, name=texts, edited_ts=texts))
def test_a_message_comes_back(message: Message) -> None:
    document = through_json(documents.message_document(message, asker_id="U0ANN"))
    assert documents.read_message(message.thread, document) == message


@given(st.builds(Thread, key=keys, cuts=st.dictionaries(texts, texts, max_size=3)))
def test_a_thread_comes_back(thread: Thread) -> None:
    assert documents.read_thread(thread.key, through_json(documents.thread_document(thread))) == thread


@given(st.builds(Person))
def test_a_person_comes_back(person: Person) -> None:
    document = through_json(documents.person_document(person))
    assert documents.read_person(person.team_id, person.user_id, document) == person


@given(st.builds(Channel))
def test_a_channel_comes_back(channel: Channel) -> None:
    document = through_json(documents.channel_document(channel))
    assert documents.read_channel(channel.team_id, channel.channel_id, document) == channel


@given(st.builds(Signal, thread=keys))
def test_a_signal_comes_back(signal: Signal) -> None:
    assert documents.read_signal(through_json(documents.signal_document(signal))) == signal


def test_a_thread_that_begins_with_its_question_has_no_past() -> None:
    key = ThreadKey("C0GENERAL", "1700000000.000100")
    root = Turn("t", key, key.thread_ts, "T0ACME", "U0ANN", "T0ACME", "channel")
    late = Turn("t", key, "1700000060.000100", "T0ACME", "U0ANN", "T0ACME", "channel")

    assert documents.new_thread(root) == Thread(key, "T0ACME", "U0ANN", "channel", backfilled=True)
    assert documents.new_thread(late) == Thread(key, "T0ACME", "U0ANN", "channel", since_ts=late.question_ts)


@pytest.mark.parametrize("index", COMPOSITE)
def test_indexed_fields_are_stored_fields(index: Any) -> None:
    key = ThreadKey("C0GENERAL", "1700000000.000100")
    turn = Turn("t", key, key.thread_ts, "T0ACME", "U0ANN", "T0ACME", "channel")
    stored = {*documents.turn_document(turn), "at", "channel"}

    assert index.collection == Collection.TURNS
    assert {name for name, _ in index.fields} <= stored


def test_indexes_are_of_collections_that_exist() -> None:
    collections = {value for name, value in vars(Collection).items() if name.isupper()}

    assert {index.collection for index in COLLECTION_GROUP} <= collections
    assert {collection for collection, _ in UNINDEXED} <= collections
    assert set(TTL) == collections - {Collection.META, Collection.TEAMS}
