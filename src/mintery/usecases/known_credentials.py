"""Credentials that were verified before, by the digest of the texts that presented them: no key and no balance is kept."""

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mintery.usecases.verify_credential import Credential

MOST = 10_000


class KnownCredentials:
    """The newest ``MOST``. Shared by the event loop and the threads that answer reads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._by_digest: dict[bytes, Credential] = {}
        self._keeping = threading.Lock()

    def find(self, digest: bytes) -> "Credential | None":
        return self._by_digest.get(digest)

    def forget(self, digest: bytes) -> None:
        with self._keeping:
            self._by_digest.pop(digest, None)

    def keep(self, digest: bytes, credential: "Credential") -> None:
        with self._keeping:
            known = self._by_digest
            known[digest] = credential
            if len(known) > self._most:
                del known[next(iter(known))]
