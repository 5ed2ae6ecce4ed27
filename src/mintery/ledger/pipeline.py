"""PostgreSQL's wire as the writer uses it: several prepared statements in one round trip, by libpq itself.

The driver's own pipeline makes a cursor of every statement, which costs ten times what libpq does with it.
"""

import select
from collections.abc import Sequence
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

Sent = tuple[str, Sequence[bytes]]
"""A statement's text, which numbers its parameters ``$1`` and so on, and these as text; without any it is not prepared."""


class Pipeline:
    """Of one connection in autocommit mode, whose transactions are begun and ended by what is sent, and on which the driver
    prepares nothing itself.
    """

    def __init__(self, connection: "Connection[Any]") -> None:
        self._libpq = connection.pgconn
        self._loads = Transformer(connection)
        self._prepared: dict[str, bytes] = {}
        self._names = 0
        self._socket = select.poll()
        self._socket.register(self._libpq.socket, select.POLLIN)

    @property
    def idle(self) -> bool:
        """No transaction is open."""
        return self._libpq.transaction_status == TransactionStatus.IDLE

    def run(self, statements: Sequence[Sent]) -> list[Sequence[Any]]:
        """The rows of each statement, in one round trip; one that gives none has no rows.

        Raises:
            psycopg.Error: of the first statement that failed; those after it were not run.
        """
        libpq, new = self._libpq, dict[str, bytes]()
        libpq.enter_pipeline_mode()
        try:
            own: list[bool] = []
            for text, given in statements:
                own += self._send(text, given, new)
            libpq.pipeline_sync()
            self._flush()
            results = self._receive()
        finally:
            if libpq.status == ConnStatus.OK:
                libpq.exit_pipeline_mode()
        self._prepared |= new  # where one failed, it is open which of them are there
        return [self._rows(result) for result, is_own in zip(results, own, strict=True) if is_own]

    def _send(self, text: str, given: Sequence[bytes], new: dict[str, bytes]) -> list[bool]:
        """One for each result that will come: whether it is the statement's own."""
        if not given:
            self._libpq.send_query_params(text.encode(), None)
            return [True]
        if (name := self._prepared.get(text) or new.get(text)) is not None:
            self._libpq.send_query_prepared(name, given)
            return [True]
        self._names += 1
        name = new[text] = f"mintery_{self._names}".encode()
        self._libpq.send_prepare(name, text.encode())
        self._libpq.send_query_prepared(name, given)
        return [False, True]

    def _flush(self) -> None:
        """The server may want to be read from before it takes more."""
        if not self._libpq.flush():
            return
        self._socket.modify(self._libpq.socket, select.POLLIN | select.POLLOUT)
        try:
            while self._libpq.flush():
                self._socket.poll()
                self._libpq.consume_input()
        finally:
            self._socket.modify(self._libpq.socket, select.POLLIN)

    def _receive(self) -> list[PGresult]:
        """All results up to where the pipeline ends. After an error the rest of them say that they were not run."""
        results: list[PGresult] = []
        failed: PGresult | None = None
        try:
            while (result := self._next()).status != ExecStatus.PIPELINE_SYNC:
                results.append(result)
                if result.status == ExecStatus.FATAL_ERROR:
                    failed = failed or result
        except OperationalError:
            if failed is None:
                raise
        if failed is not None:
            raise error_from_result(failed)
        return results

    def _next(self) -> PGresult:
        """Other threads run while it waits."""
        libpq = self._libpq
        while True:
            while libpq.is_busy():
                self._socket.poll()
                libpq.consume_input()
            if (result := libpq.get_result()) is not None:
                return result
            if libpq.status != ConnStatus.OK:
                raise OperationalError("the connection is lost")

    def _rows(self, result: PGresult) -> Sequence[Any]:
        if not result.ntuples:
            return ()
        self._loads.set_pgresult(result)
        return self._loads.load_rows(0, result.ntuples, tuple)
