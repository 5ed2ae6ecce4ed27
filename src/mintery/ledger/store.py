"""The ledger as use cases hold it: one writer, many readers."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from mintery.domain.attempt import Refusal, RouteAttempt
from mintery.domain.channel import ChannelChange
from mintery.domain.hold import Hold, RequestId
from mintery.domain.keys import KeyId, StandingVoucher
from mintery.domain.limits import SpendLimit
from mintery.domain.long_job import LongJob
from mintery.domain.model import Endpoint
from mintery.domain.receipt import Receipt
from mintery.domain.reserve import ReserveObservation
from mintery.domain.sign_in import SignIn
from mintery.domain.voucher import AccountId, Address, SignedVoucher
from mintery.errors import LongJobUnreadable
from mintery.ledger import (
    invariants,
    queries,
    queries_attempts,
    queries_authorities,
    queries_batches,
    queries_channels,
    queries_halts,
    queries_long_jobs,
    queries_reserve,
    queries_sign_ins,
)
from mintery.ledger.commands import Block, Command, FlowSums, RequestKey, Result
from mintery.ledger.engines import reader_engine, writer_engine
from mintery.ledger.faults import Fault, fault_of, told
from mintery.ledger.opening import (
    LedgerIdentity,
    bring_up_to_date,
    check_before_opening,
    ledger_url,
    make_private,
    shown,
)
from mintery.ledger.queries_calls import CallReads
from mintery.ledger.queries_disputes import DisputeReads
from mintery.ledger.queries_lots import LotReads
from mintery.ledger.queries_memberships import MembershipReads
from mintery.ledger.queries_orders import OrderReads
from mintery.ledger.queries_postponed import PostponedReads
from mintery.ledger.queries_refunds import LotRefundReads
from mintery.ledger.reads import (
    AccountBalance,
    BatchRecord,
    Halt,
    Ledger,
    ReceiptRecord,
    Reconciled,
    RequestRecord,
    StandingDifference,
    TokenTotals,
    WrittenOff,
)
from mintery.ledger.reads_wallet import Allowance, KeyRecord, LimitAlert, SecretRecord
from mintery.ledger.snapshots import Snapshot
from mintery.ledger.writer import WAITING_LIMIT, Writer
from mintery.units import NanoCredits, UnixSeconds

P = ParamSpec("P")
T = TypeVar("T")


def open_ledger(
    url_or_path: str | Path, identity: LedgerIdentity, *, waiting_limit: int = WAITING_LIMIT
) -> "LedgerStore":
    """Open the ledger of one escrow on one chain, new or as it was left, with its tables up to date.

    Args:
        url_or_path: a file for SQLite, whose directory exists, or an SQLAlchemy URL.
        identity: whose ledger it must be.
        waiting_limit: callers' lists that may wait for the writer.

    Raises:
        LedgerOfAnotherChain: it belongs to another chain or escrow; nothing was changed.
        MalformedFile: it is no ledger, or a newer version's.
        LedgerUnavailable: the database does not let itself be used now.
    """
    url = ledger_url(url_or_path)
    check_before_opening(url, identity)
    make_private(url)
    engine = writer_engine(url)
    try:
        bring_up_to_date(engine, shown(url), identity)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, SQLAlchemyError):
            raise told(engine.dialect, error) from error
        raise
    return LedgerStore(identity, engine, reader_engine(url), waiting_limit=waiting_limit)


class LedgerStore(Ledger):
    """Implements ``reads.Ledger``. Close it: what waits is written first. A context manager does."""

    def __init__(self, identity: LedgerIdentity, writes: Engine, reads: Engine, *, waiting_limit: int) -> None:
        self.identity = identity
        self._writes = writes
        self._reads = reads
        self._writer = Writer(writes, identity.domain, waiting_limit=waiting_limit)
        self._may_write: Callable[[], None] = _always

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._writer.close()
        self._reads.dispose()
        self._writes.dispose()

    def fenced(self, may_write: Callable[[], None]) -> "LedgerStore":
        """This ledger for one job: ``may_write`` is asked before each ``commit``, and nothing is written if it raises."""
        view = copy.copy(self)
        view._may_write = may_write  # noqa: SLF001 -- a copy of its own kind
        return view

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        """Raises Overloaded, LedgerClosed, LedgerUnavailable, and what a command raised; then nothing of ``commands`` was written."""
        self._may_write()
        return self._writer.submit(commands).result()

    async def commit_async(self, commands: Sequence[Command]) -> Sequence[Result]:
        """As ``commit``. A caller that is cancelled while it waits does not undo what it asked for."""
        return await self._writer.submit_async(commands)

    @property
    def orders(self) -> OrderReads:
        return OrderReads(self._read)

    @property
    def memberships(self) -> MembershipReads:
        return MembershipReads(self._read)

    @property
    def disputes(self) -> DisputeReads:
        return DisputeReads(self._read)

    @property
    def lot_refunds(self) -> LotRefundReads:
        return LotRefundReads(self._read)

    @property
    def postponed(self) -> PostponedReads:
        return PostponedReads(self._read)

    @property
    def lots(self) -> LotReads:
        return LotReads(self._read)

    @property
    def chain_calls(self) -> CallReads:
        return CallReads(self._read)

    def account(self, account: AccountId) -> AccountBalance | None:
        return self._read(queries.account, account)

    def accounts(self, *, holder: Address | None = None) -> Sequence[AccountBalance]:
        return self._read(queries.all_accounts, holder)

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        try:
            with self._reads.connect() as connection:
                yield Snapshot(connection)
        except SQLAlchemyError as error:
            raise told(self._reads.dialect, error) from error

    def request(self, request: RequestId) -> RequestRecord | None:
        return self._read(queries.request, request)

    def undelivered(self, key: RequestKey) -> RequestRecord | None:
        return self._read(queries.undelivered, key)

    def by_idempotency_key(self, credential: bytes, idempotency_key: str) -> RequestRecord | None:
        return self._read(queries.by_idempotency_key, credential, idempotency_key)

    def by_raised(self, account: AccountId, digest: bytes) -> RequestRecord | None:
        return self._read(queries.by_raised, account, digest)

    def receipt(self, request: RequestId) -> ReceiptRecord | None:
        return self._read(queries.receipt, request)

    def attempts(self, request: RequestId) -> Sequence[RouteAttempt]:
        return self._read(queries_attempts.attempts_of, request)

    def last_route(self, account: AccountId, session: str, *, limit: int) -> str | None:
        return self._read(queries_attempts.last_route, account, session, limit)

    def refusal(self, request: RequestId) -> Refusal | None:
        return self._read(queries_attempts.refusal, request)

    def receipts(
        self, *, account: AccountId | None = None, key: KeyId | None = None, limit: int = 100
    ) -> Sequence[ReceiptRecord]:
        return self._read(queries.some_receipts, account, key, limit)

    def open_holds(self) -> Sequence[Hold]:
        return self._read(queries.open_holds)

    def long_job(self, request: RequestId) -> LongJob | None:
        return self._read(queries_long_jobs.long_job, request)

    def long_jobs(
        self,
        account: AccountId,
        form: Endpoint,
        *,
        key: KeyId | None = None,
        limit: int = 20,
        before: RequestId | None = None,
    ) -> Sequence[LongJob]:
        return self._read(queries_long_jobs.some_long_jobs, (account, key), form, limit, before)

    def open_long_jobs(self) -> Sequence[LongJob]:
        return self._read(queries_long_jobs.open_long_jobs)

    def unreadable_long_jobs(self) -> Sequence[LongJobUnreadable]:
        return self._read(queries_long_jobs.unreadable_long_jobs)

    def unbatched(self, *, limit: int) -> Sequence[Receipt]:
        return self._read(queries.unbatched, limit)

    def highest_voucher(self, account: AccountId, epoch: int, at: UnixSeconds) -> SignedVoucher | None:
        return self._read(queries.highest_voucher, account, epoch, at)

    def spent_settled(self, account: AccountId) -> NanoCredits:
        return self._read(queries.spent_settled, account)

    def settled_by_account(self) -> Mapping[AccountId, NanoCredits]:
        return self._read(queries.settled_by_account)

    def halts(self) -> Sequence[Halt]:
        return self._read(queries_halts.standing_halts)

    def differences(self) -> Sequence[StandingDifference]:
        return self._read(queries_halts.standing_differences)

    def last_reconciliation(self) -> Reconciled | None:
        return self._read(queries_halts.last_reconciliation)

    def reserve_history(self, token: Address, *, limit: int) -> Sequence[ReserveObservation]:
        return self._read(queries_reserve.reserve_history, token, limit)

    def flow_sums(self) -> FlowSums | None:
        return self._read(queries_halts.flow_sums)

    def batch(self, batch_id: int) -> BatchRecord | None:
        return self._read(queries_batches.batch, batch_id)

    def open_batches(self) -> Sequence[BatchRecord]:
        return self._read(queries_batches.open_batches)

    def last_block(self) -> Block | None:
        return self._read(queries.last_block)

    def blocks(self, *, limit: int = 100, below: int | None = None) -> Sequence[Block]:
        return self._read(queries.some_blocks, limit, below)

    def final_block(self) -> int | None:
        return self._read(queries.final_block)

    def write_offs(self, *, limit: int = 100) -> Sequence[WrittenOff]:
        return self._read(queries.some_write_offs, limit)

    def used(self, constraint: str) -> NanoCredits:
        return self._read(queries.used, constraint)

    def totals(self) -> Sequence[TokenTotals]:
        return self._read(queries.totals)

    def channel_mark(self) -> tuple[int, int]:
        return self._read(queries_channels.mark)

    def channel_settings(self) -> Sequence[ChannelChange]:
        return self._read(queries_channels.settings)

    def channel_changes(self, *, name: str | None = None, limit: int = 100) -> Sequence[ChannelChange]:
        return self._read(queries_channels.changes, name, limit)

    def sign_in_by_token(self, token_hash: bytes, now: datetime) -> SignIn | None:
        return self._read(queries_sign_ins.sign_in_by_token, token_hash, now)

    def sign_ins(self, holder: Address, now: datetime) -> Sequence[SignIn]:
        return self._read(queries_sign_ins.sign_ins_of, holder, now)

    def standing(self, account: AccountId, holder: Address, token: Address) -> Allowance:
        return self._read(queries_authorities.standing, account, holder, token)

    def time_zone(self, holder: Address) -> str | None:
        return self._read(queries_authorities.time_zone, holder)

    def key_by_hash(self, hashed: bytes) -> SecretRecord | None:
        return self._read(queries_authorities.key_by_hash, hashed)

    def key(self, key: KeyId) -> KeyRecord | None:
        return self._read(queries_authorities.key, key)

    def keys(self, holder: Address) -> Sequence[KeyRecord]:
        return self._read(queries_authorities.keys_of, holder)

    def standing_vouchers(self, holder: Address) -> Sequence[StandingVoucher]:
        return self._read(queries_authorities.standing_vouchers_of, holder)

    def vouchers_of(self, holder: Address) -> Sequence[tuple[AccountId, SignedVoucher]]:
        return self._read(queries_authorities.vouchers_of, holder)

    def revoked_vouchers(self, holder: Address) -> frozenset[tuple[AccountId, bytes]]:
        return self._read(queries_authorities.revoked_vouchers_of, holder)

    def spend_limits(self, holder: Address) -> Sequence[SpendLimit]:
        return self._read(queries_authorities.limits_of, holder)

    def limit_alerts(self, holder: Address, *, limit: int = 100) -> Sequence[LimitAlert]:
        return self._read(queries_authorities.alerts_of, holder, limit)

    def check(self) -> None:
        self._read(invariants.check)

    def _read(self, query: Callable[Concatenate[Connection, P], T], /, *arguments: P.args, **keywords: P.kwargs) -> T:
        """Once more where the connection had died in the pool: a read may be repeated."""
        for last in (False, True):
            try:
                with self._reads.connect() as connection:
                    return query(connection, *arguments, **keywords)
            except SQLAlchemyError as error:
                if last or fault_of(self._reads.dialect, error) is not Fault.BROKEN:
                    raise told(self._reads.dialect, error) from error
        raise AssertionError


def _always() -> None:
    """A ledger that no job holds is written by everybody."""
