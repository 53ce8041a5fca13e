"""A write's name in, its nonce out: the same one again for a write whose outcome nobody knew."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

_REMEMBERED = 1_024  # names; beyond that the oldest are forgotten, and a repeated call is then answered as a copy


def new_nonce() -> str:
    """A word that no other writer will choose."""
    return uuid.uuid4().hex


class Unsettled:
    """Writes that ended in an exception: when one is repeated, it must recognise what it did the first time."""

    def __init__(self) -> None:
        self._nonces: dict[str, str] = {}

    @contextmanager
    def nonce(self, name: str) -> Iterator[str]:
        """The nonce to write with; it is remembered if the block raises."""
        nonce = self._nonces.pop(name, None) or new_nonce()
        try:
            yield nonce
        except BaseException:
            self._nonces[name] = nonce
            if len(self._nonces) > _REMEMBERED:
                del self._nonces[next(iter(self._nonces))]
            raise
