"""An age in, the threads out whose open turns nobody has written for so long: what every replica's sweeper asks."""

from datetime import timedelta

from google.cloud.firestore import FieldFilter

from bot.conversation.thread import ThreadKey
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_batch import Snapshot
from bot.store.schema import Collection

_PAGE = 100
_PAGES = 5  # long answers under live leases are old too; beyond so many, the next sweep goes on


async def overdue_threads(database: FirestoreDatabase, older_than_s: float, limit: int) -> list[ThreadKey]:
    """Oldest first, at most `limit`; threads whose lease is alive are in good hands. Judged by the server's times."""
    query = (
        database.client.collection(Collection.TURNS)
        .where(filter=FieldFilter("open", "==", True))
        .where(filter=FieldFilter("at", "<", database.server_now() - timedelta(seconds=older_than_s)))
        .order_by("at")
        .limit(_PAGE)
    )
    overdue: dict[ThreadKey, None] = {}
    page = await database.query(query)
    for _ in range(_PAGES):
        threads = list(dict.fromkeys(ThreadKey.parse(found.get("thread")) for found in page))
        if threads:
            leases = await database.get(*map(database.lease, threads))
            overdue |= {key: None for key, held in zip(threads, leases, strict=True) if not _alive(held, older_than_s)}
        if len(page) < _PAGE or len(overdue) >= limit:
            break
        page = await database.query(query.start_after(page[-1]))
    return list(overdue)[:limit]


def _alive(held: Snapshot, lease_s: float) -> bool:
    owned = bool((data(held) or {}).get("owner"))
    return owned and (held.read_time - held.update_time).total_seconds() < lease_s
