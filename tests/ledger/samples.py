"""Values that the ledger's tests are told in. Amounts are nanocredits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id, sign_voucher, voucher_digest
from mintery.domain.batch import Batch, LineOutcome, LineStatus, SettlementLine, TokenBatch
from mintery.domain.hold import Constraint, ReleaseReason, RequestId
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource
from mintery.domain.quoted import Quoted
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, AccountKey, Address, EscrowDomain, Kind, SignedVoucher, Voucher
from mintery.ledger.commands import (
    Answer,
    AppendBlock,
    BatchSettledSeen,
    Block,
    CaptureHold,
    ChainEvent,
    DepositSeen,
    FormBatch,
    PlaceHold,
    ReleaseHold,
    RequestKey,
)
from mintery.ledger.opening import LedgerIdentity
from mintery.units import BasisPoints, NanoCredits, Par, UnixSeconds, UsdWad, credit_units

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
GATEWAY = PrivateKey.from_bytes(b"\x11" * 32).address
SETTLER = PrivateKey.from_bytes(b"\x22" * 32).address
TOKEN = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
OTHER_TOKEN = Address("0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512")
DOMAIN = EscrowDomain(31_337, Address("0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"))
IDENTITY = LedgerIdentity(DOMAIN.chain_id, "0x" + "ab" * 32, DOMAIN.escrow)
QUOTED = Quoted(
    model="acme/small",
    provider="acme",
    upstream="small-1",
    kind=Kind.ROUTED,
    stream=False,
    test=True,
    state=PriceState.NORMAL,
    lines=(PricedLine(Sku("acme/small", "output_token"), 2, 1, 1, UsdWad(1_000_000_000), 4_096),),
    par=Par(10**6),
    markup=BasisPoints(0),
)
NOTHING = LineOutcome(LineStatus.EMPTY, NanoCredits(0))


@dataclass(frozen=True)
class Wallet:
    """One account and the key that signs for it."""

    key: PrivateKey
    token: Address = TOKEN

    @property
    def account(self) -> AccountKey:
        return AccountKey(self.token, GATEWAY, self.key.address, self.key.address)

    @property
    def id(self) -> AccountId:
        return _account_id(self.account)

    def voucher(self, most: int, *, epoch: int = 0) -> SignedVoucher:
        return _signed(self, most, epoch)


# Tests sign and hash the same things again and again.
_account_id = cache(account_id)
_digest = cache(voucher_digest)


@cache
def _signed(wallet: Wallet, most: int, epoch: int) -> SignedVoucher:
    voucher = Voucher(
        token=wallet.token,
        gateway=GATEWAY,
        holder=wallet.key.address,
        epoch=epoch,
        max_spend=credit_units(NanoCredits(most)),
        deadline=UnixSeconds(2_000_000_000),
        key_hash=b"k" * 16,
    )
    return sign_voucher(voucher, DOMAIN, wallet.key)


def wallet(number: int = 1, token: Address = TOKEN) -> Wallet:
    return Wallet(PrivateKey.from_bytes(number.to_bytes(32)), token)


def request_id(number: int) -> RequestId:
    return RequestId(f"req_{number:032x}")


def place(
    number: int,
    of: Wallet,
    amount: int,
    *,
    most: int = 10**12,
    epoch: int = 0,
    raised: bytes | None = None,
    idempotency_key: str | None = None,
    constraints: tuple[Constraint, ...] = (),
    dispatch: bool = True,
    at: datetime = NOON,
    body: bytes | None = None,
    repeats_since: datetime | None = None,
) -> PlaceHold:
    signed = of.voucher(most, epoch=epoch)
    return PlaceHold(
        request=request_id(number),
        key=RequestKey(keccak(of.id.encode()), body or keccak(number.to_bytes(8)), idempotency_key, raised),
        account=of.id,
        signed=signed,
        digest=_digest(signed.voucher, DOMAIN),
        quoted=QUOTED,
        amount=NanoCredits(amount),
        placed_at=at,
        lease_until=at + timedelta(minutes=5),
        constraints=constraints,
        repeats_since=repeats_since,
        dispatch=dispatch,
    )


def receipt(number: int, of: Wallet, cost: int, held: int, *, epoch: int = 0, at: datetime = NOON) -> Receipt:
    line = PricedLine(Sku("acme/small", "output_token"), 2, 1, 1, UsdWad(1_000_000_000), max(cost, 1))
    return Receipt(
        id=request_id(number),
        domain=DOMAIN,
        account=of.account,
        epoch=epoch,
        model="acme/small",
        provider="acme",
        upstream="small-1",
        kind=Kind.ROUTED,
        backup=False,
        stream=False,
        test=True,
        state=PriceState.NORMAL,
        lines=(line,),
        source=UsageSource.PROVIDER,
        par=Par(10**6),
        markup=BasisPoints(0),
        held=NanoCredits(held),
        cost=NanoCredits(cost),
        captured_at=at,
        settler=SETTLER,
    )


def capture(placed: PlaceHold, of: Wallet, cost: int, *, answer: Answer | None = None) -> CaptureHold:
    captured_at = placed.placed_at + timedelta(seconds=1)
    written = receipt(
        int(placed.request.removeprefix("req_"), 16),
        of,
        cost,
        placed.amount,
        epoch=placed.signed.voucher.epoch,
        at=captured_at,
    )
    return CaptureHold(placed.request, written, answer)


def release(placed: PlaceHold, reason: ReleaseReason = ReleaseReason.PROVIDER_FAILED) -> ReleaseHold:
    return ReleaseHold(placed.request, reason, placed.lease_until)


class Chain:
    """Makes blocks, each the child of the last."""

    def __init__(self) -> None:
        self._branch = 0
        self.last = Block(0, "0x" + "00" * 32, "0x" + "00" * 32, UnixSeconds(0))

    def go_back_to(self, block: Block) -> None:
        """What is made next stands on ``block``, and is none of what was made before."""
        self._branch += 1
        self.last = block

    def block(self, *events: ChainEvent) -> AppendBlock:
        number = self.last.number + 1
        digest = "0x" + keccak(number.to_bytes(8) + self._branch.to_bytes(8)).hex()
        self.last = Block(number, digest, self.last.hash, UnixSeconds(1_795_000_000 + number))
        return AppendBlock(self.last, tuple(enumerate(events)))


def deposit(of: Wallet, amount: int) -> DepositSeen:
    return DepositSeen(of.id, of.account, NanoCredits(amount))


def form(
    batch_id: int,
    *parts: tuple[Wallet, int, list[RequestId]],
    epoch: int = 0,
    epochs: Mapping[AccountId, int] | None = None,
) -> FormBatch:
    """One line for each of (wallet, its spent counter afterwards in nanocredits, its receipts)."""
    tokens = []
    for token in sorted({wallet.token for wallet, _, _ in parts}):
        own = [part for part in parts if part[0].token == token]
        lines = tuple(
            SettlementLine(
                wallet.voucher(10**12, epoch=(epochs or {}).get(wallet.id, epoch)), credit_units(NanoCredits(spent))
            )
            for wallet, spent, _ in own
        )
        tokens.append(TokenBatch(token, sum(len(ids) for _, _, ids in own), lines, ()))
    ids = tuple(each for _, _, listed in parts for each in listed)
    root = keccak("".join(ids).encode())
    return FormBatch(Batch(GATEWAY, batch_id, root, tuple(tokens)), ids, NOON)


def settled(formed: FormBatch, *outcomes: LineOutcome) -> BatchSettledSeen:
    return BatchSettledSeen(
        formed.batch.batch_id, formed.batch.receipts_root, outcomes, f"0x{formed.batch.batch_id:064x}"
    )


def burned(amount: int, status: LineStatus = LineStatus.SETTLED) -> LineOutcome:
    return LineOutcome(status, NanoCredits(amount))
