"""The ledger's port in memory: the same rules in the plainest form, to test what stands on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mintery.crypto.vouchers import account_id
from mintery.domain.attempt import Refusal, RouteAttempt
from mintery.domain.hold import Ending, Hold, RequestId, capture
from mintery.domain.keys import KeyId
from mintery.domain.long_job import LongJob
from mintery.domain.rates import RatesLeft, after, excess, gauge
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, AccountKey, Address, SignedVoucher
from mintery.errors import HoldNotOpen, MinteryError
from mintery.ledger.commands import (
    Answer,
    Block,
    CaptureHold,
    Command,
    Done,
    HoldNotEnding,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    MarkDelivered,
    PlaceHold,
    RateReached,
    RecordRefusals,
    ReleaseHold,
    RequestKey,
    RequestKnown,
    Result,
)
from mintery.ledger.reads import AccountBalance, BatchRecord, ReceiptRecord, RequestRecord, TokenTotals
from mintery.units import NanoCredits, UnixSeconds


@dataclass
class _Request:
    key: RequestKey
    hold: Hold
    command: PlaceHold
    answer: Answer | None = None
    delivered_at: datetime | None = None
    receipt: Receipt | None = None
    attempts: Sequence[RouteAttempt] = ()

    @property
    def open(self) -> bool:
        return self.hold.captured is None and self.hold.released_for is None


@dataclass
class InMemoryLedger:
    """``opened`` holds what the chain deposited; everything else follows from the requests."""

    opened: dict[AccountId, AccountBalance] = field(default_factory=dict)
    requests: dict[RequestId, _Request] = field(default_factory=dict)
    fail_captures_with: MinteryError | None = None
    refused: dict[RequestId, Refusal] = field(default_factory=dict)
    rates_until: dict[tuple[AccountId, str], int] = field(default_factory=dict)
    """By ``requests`` and ``tokens``: see ``domain.rates``."""

    def deposit(self, key: AccountKey, amount: int, *, epoch: int = 0, exiting: int = 0) -> AccountId:
        account = account_id(key)
        zero = NanoCredits(0)
        self.opened[account] = AccountBalance(
            account, key, epoch, NanoCredits(amount), zero, zero, zero, NanoCredits(exiting),
            UnixSeconds(1) if exiting else None, False,
        )  # fmt: skip
        return account

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        return [self._apply(command) for command in commands]

    async def commit_async(self, commands: Sequence[Command]) -> Sequence[Result]:
        return self.commit(commands)

    def _apply(self, command: Command) -> Result:
        match command:
            case PlaceHold():
                return self._place(command)
            case CaptureHold():
                return self._capture(command)
            case ReleaseHold(request, reason, _, attempts=attempts):
                found = self.requests.get(request)
                if found is None or not found.open:
                    return HoldNotEnding(request, "ended")
                found.hold = replace(found.hold, released_for=reason)
                found.attempts = attempts
                return HoldReleased(request, found.hold.amount)
            case RecordRefusals(refusals):
                self.refused |= {each.request: each for each in refusals}
                return Done(len(refusals))
            case MarkDelivered(request, at):
                found = self.requests[request]
                found.delivered_at = at
                if found.key.idempotency_key is None:
                    found.answer = None
                return Done(1)
            case _:
                raise NotImplementedError(type(command).__name__)

    def _place(self, command: PlaceHold) -> Result:
        key = command.key
        for known in self.requests.values():
            same_key = key.idempotency_key is not None and (
                (known.key.credential, known.key.idempotency_key) == (key.credential, key.idempotency_key)
            )
            same_raised = key.raised is not None and (
                (known.hold.account, known.key.raised) == (command.account, key.raised)
            )
            if same_key or same_raised:
                return RequestKnown(known.hold.id, "idempotency_key" if same_key else "raised", known.key.body)
            since = command.repeats_since
            undelivered = known.delivered_at is None and known.hold.released_for is None
            if since is not None and undelivered and known.hold.placed_at >= since and known.key == key:
                return RequestKnown(known.hold.id, "retry", key.body)
            overtook = known.command.repeats_since is not None and known.hold.placed_at >= command.placed_at
            if overtook and known.hold.released_for is None and known.key == key:
                return RequestKnown(known.hold.id, "retry", key.body)
        refused = self._refusal(command)
        if refused is not None:
            return refused
        left = self._count_rates(command)
        if isinstance(left, RateReached):
            return left
        hold = Hold(
            command.request, command.account, command.amount, command.placed_at, command.lease_until,
            dispatched_at=command.placed_at if command.dispatch else None,
        )  # fmt: skip
        self.requests[hold.id] = _Request(key, hold, command)
        return HoldPlaced(hold, left)

    def _count_rates(self, command: PlaceHold) -> RatesLeft | RateReached | None:
        if (use := command.rate) is None:
            return None
        now = int(command.placed_at.timestamp() * 1_000_000)

        def left() -> RatesLeft:
            until = [self.rates_until.get((command.account, name)) for name in RatesLeft._fields]
            return RatesLeft(*(gauge(each, limit, now) for each, limit in zip(until, use.rates, strict=True)))

        counted = {}
        for name, limit, units in zip(RatesLeft._fields, use.rates, (1, use.tokens), strict=True):
            if limit is not None:
                key = command.account, name
                counted[key] = after(self.rates_until.get(key), units, limit, now)
                if over := excess(counted[key], now):
                    return RateReached(name, left(), None if units > limit else over)
        self.rates_until |= counted
        return left()

    def _refusal(self, command: PlaceHold) -> HoldRefused | None:
        def refuse(rule: str, available: int) -> HoldRefused:
            return HoldRefused(rule, command.amount, NanoCredits(max(0, available)))

        account = self.account(command.account)
        if account is None:
            return refuse("account", 0)
        if account.epoch != command.signed.voucher.epoch:
            return refuse("epoch", 0)
        if (free := account.available - account.exiting) < command.amount:
            return refuse("balance", free)
        room = command.signed.voucher.max_nanocredits - account.spent - account.held
        if room < command.amount:
            return refuse("voucher", room)
        for constraint in command.constraints:
            if (room := constraint.ceiling - self.used(constraint.key)) < command.amount:
                return refuse(constraint.key, room)
        return None

    def _capture(self, command: CaptureHold) -> Result:
        if self.fail_captures_with is not None:
            raise self.fail_captures_with
        found = self.requests[command.request]
        try:
            done = capture(found.hold, command.receipt.cost, command.receipt.captured_at)
        except HoldNotOpen as error:
            return HoldNotEnding(command.request, error.status)
        found.hold = replace(found.hold, captured=done.captured)
        found.receipt, found.answer = command.receipt, command.answer
        found.attempts = command.attempts
        return done

    def account(self, account: AccountId) -> AccountBalance | None:
        if (opened := self.opened.get(account)) is None:
            return None
        of = [request for request in self.requests.values() if request.hold.account == account]
        held = sum(request.hold.amount for request in of if request.open)
        captured = sum(request.hold.captured or 0 for request in of)
        return replace(
            opened,
            available=NanoCredits(opened.available - held - captured),
            held=NanoCredits(held),
            captured=NanoCredits(captured),
            spent=NanoCredits(captured),
        )

    def accounts(self, *, holder: Address | None = None) -> Sequence[AccountBalance]:
        found = [self.account(account) for account in self.opened]
        return [account for account in found if account is not None and holder in {None, account.key.holder}]

    def request(self, request: RequestId) -> RequestRecord | None:
        found = self.requests.get(request)
        return None if found is None else self._record(found)

    def undelivered(self, key: RequestKey) -> RequestRecord | None:
        for found in reversed(self.requests.values()):
            if (found.key.credential, found.key.body) == (key.credential, key.body):
                if found.delivered_at is None and found.hold.released_for is None:
                    return self._record(found)
                return None
        return None

    def by_idempotency_key(self, credential: bytes, idempotency_key: str) -> RequestRecord | None:
        for found in self.requests.values():
            if (found.key.credential, found.key.idempotency_key) == (credential, idempotency_key):
                return self._record(found)
        return None

    def by_raised(self, account: AccountId, digest: bytes) -> RequestRecord | None:
        for found in self.requests.values():
            if (found.hold.account, found.key.raised) == (account, digest):
                return self._record(found)
        return None

    def receipt(self, request: RequestId) -> ReceiptRecord | None:
        found = self.requests.get(request)
        return None if found is None or found.receipt is None else ReceiptRecord(found.receipt, None, None)

    def attempts(self, request: RequestId) -> Sequence[RouteAttempt]:
        found = self.requests.get(request)
        return () if found is None else found.attempts

    def last_route(self, account: AccountId, session: str, *, limit: int) -> str | None:
        of = [found for found in reversed(self.requests.values()) if found.hold.account == account and found.receipt]
        marked = [found.receipt for found in of[:limit] if found.command.quoted.session == session]
        return marked[0].model if marked and marked[0] is not None else None

    def refusal(self, request: RequestId) -> Refusal | None:
        return self.refused.get(request)

    def receipts(
        self, *, account: AccountId | None = None, key: KeyId | None = None, limit: int = 100
    ) -> Sequence[ReceiptRecord]:
        of = [
            ReceiptRecord(found.receipt, None, None)
            for found in reversed(self.requests.values())
            if found.receipt is not None and account in {None, found.hold.account} and key in {None, found.receipt.key}
        ]
        return of[:limit]

    def open_holds(self) -> Sequence[Hold]:
        return [found.hold for found in self.requests.values() if found.open]

    def long_job(self, _request: RequestId) -> LongJob | None:
        return None

    def unbatched(self, *, limit: int) -> Sequence[Receipt]:
        return [found.receipt for found in self.requests.values() if found.receipt is not None][:limit]

    def highest_voucher(self, account: AccountId, epoch: int, at: UnixSeconds) -> SignedVoucher | None:
        raise NotImplementedError

    def spent_settled(self, _account: AccountId) -> NanoCredits:
        return NanoCredits(0)

    def batch(self, _batch_id: int) -> BatchRecord | None:
        return None

    def open_batches(self) -> Sequence[BatchRecord]:
        return []

    def last_block(self) -> Block | None:
        return None

    def used(self, constraint: str) -> NanoCredits:
        total = 0
        for found in self.requests.values():
            counted = [each for each in found.command.constraints if each.key == constraint]
            if counted and found.hold.released_for is None:
                charged = found.hold.captured if counted[0].until is not Ending.CAPTURE else 0
                total += found.hold.amount if found.hold.captured is None else charged or 0
        return NanoCredits(total)

    def totals(self) -> Sequence[TokenTotals]:
        return []

    def check(self) -> None:
        for account in self.accounts():
            assert account.available >= 0, account

    @staticmethod
    def _record(found: _Request) -> RequestRecord:
        command = found.command
        return RequestRecord(
            id=found.hold.id,
            key=found.key,
            hold=found.hold,
            epoch=command.signed.voucher.epoch,
            quoted=command.quoted,
            delivered_at=found.delivered_at,
            answer=found.answer,
        )
