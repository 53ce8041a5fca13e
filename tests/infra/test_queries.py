"""The store's queries are read from its text, in every form that they take there, and none is passed over."""

from pathlib import Path

import pytest

from tests.infra.queries import Query, Unreadable, queries_of

FORMS = {
    "one chain": """
def asked(database, thread):
    return (
        database.client.collection(Collection.TURNS)
        .where(filter=FieldFilter("thread", "==", thread))
        .where(filter=FieldFilter("at", "<", 0))
        .order_by("at")
        .limit(10)
    )
""",
    "through a name": """
async def asked(database, thread):
    turns = database.client.collection(Collection.TURNS)
    old = turns.where(filter=FieldFilter("thread", "==", thread)).order_by("at")
    return await old.limit(10).get()
""",
    "begun by a function": """
class Store:
    def _turns(self):
        return self._client.collection(Collection.TURNS)

    def asked(self, thread):
        return self._turns().where(filter=FieldFilter("thread", "==", thread)).order_by("at", direction="DESCENDING")
""",
}


def queries(tmp_path: Path, text: str) -> set[Query]:
    module = tmp_path / "store.py"
    module.write_text(text)
    return set(queries_of(module))


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_query_is_read_however_it_is_written(tmp_path: Path, text: str) -> None:
    assert queries(tmp_path, text) == {Query("turns", ("thread", "at"), across=False)}


def test_a_loop_over_fields_is_a_query_for_each_of_them(tmp_path: Path) -> None:
    text = """
def erase(client, person):
    for field in ("userId", "askerId"):
        messages = client.collection_group(Collection.MESSAGES)
        yield messages.where(filter=FieldFilter(field, "==", person))
"""

    assert queries(tmp_path, text) == {
        Query("messages", ("userId",), across=True),
        Query("messages", ("askerId",), across=True),
    }


@pytest.mark.parametrize(
    "text",
    [
        'def asked(collection):\n    return collection.where(filter=FieldFilter("at", "<", 0))\n',
        "def asked(c, f):\n    return c.collection(Collection.TURNS).where(filter=FieldFilter(f, '<', 0))\n",
    ],
    ids=["of any collection", "by any field"],
)
def test_a_query_that_cannot_be_told_is_no_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unreadable):
        queries(tmp_path, text)
