"""Forming a batch is bookkeeping: nothing is lost, nothing counted twice."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto.keys import PrivateKey
from mintery.crypto.receipts import receipt_digest
from mintery.crypto.vouchers import account_id
from mintery.domain.hold import RequestId
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource, total_cost
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, AccountKey, Address, EscrowDomain, Kind, SignedVoucher, Voucher
from mintery.units import (
    BasisPoints,
    CreditUnits,
    NanoCredits,
    Par,
    UnixSeconds,
    UsdWad,
    credit_units,
    nanocredits,
    nanocredits_up,
)
from mintery.usecases.form_batch import FormedBatch, OnChainStanding, count_lines, form_batch, receipts_root

NOW = UnixSeconds(1_800_000_000)
PAR, MARKUP = Par(1_000_000), BasisPoints(500)
GATEWAY = PrivateKey.from_bytes(b"\x11" * 32).address
HOLDER = PrivateKey.from_bytes(b"\x12" * 32).address
TOKENS = tuple(PrivateKey.from_bytes(bytes([index]) * 32).address for index in (0x21, 0x22, 0x23))
SIGNERS = tuple(PrivateKey.from_bytes(bytes([index]) * 32).address for index in range(0x31, 0x37))
DOMAIN = EscrowDomain(31_337, PrivateKey.from_bytes(b"\x13" * 32).address)


def a_receipt(number: int, token: Address, signer: Address, *, quantity: int, price: int, epoch: int = 0) -> Receipt:
    line = PricedLine(Sku("acme/small", "output_token"), 1 + price % 3, 1 + price % 2, 1, UsdWad(price), quantity)
    cost = nanocredits_up(total_cost([line]), PAR, MARKUP)
    return Receipt(
        id=RequestId(f"req_{number:032x}"),
        domain=DOMAIN,
        account=AccountKey(token, GATEWAY, HOLDER, signer),
        epoch=epoch,
        model="acme/small",
        provider="acme",
        upstream="small",
        kind=Kind.ROUTED,
        backup=False,
        stream=False,
        test=True,
        state=PriceState.NORMAL,
        lines=(line,),
        source=UsageSource.PROVIDER,
        par=PAR,
        markup=MARKUP,
        held=cost,
        cost=cost,
        captured_at=datetime(2026, 11, 21, tzinfo=UTC),
        settler=GATEWAY,
    )


requests = st.lists(
    st.tuples(
        st.sampled_from(TOKENS),
        st.sampled_from(SIGNERS),
        st.integers(1, 10**6),
        st.integers(1, 10**16),
        st.sampled_from([0, 0, 0, 1]),
    ),
    max_size=30,
).map(
    lambda drawn: [
        a_receipt(number, token, signer, quantity=quantity, price=price, epoch=epoch)
        for number, (token, signer, quantity, price, epoch) in enumerate(drawn)
    ]
)


def accounts_of(receipts: list[Receipt]) -> dict[AccountId, AccountKey]:
    return {account_id(receipt.account): receipt.account for receipt in receipts}


def form(
    receipts: list[Receipt],
    standings: dict[AccountId, OnChainStanding],
    *,
    limit: int | None = None,
    max_lines: int = 100,
) -> FormedBatch:
    keys = accounts_of(receipts)

    def find(account: AccountId, epoch: int, _at: UnixSeconds) -> SignedVoucher | None:
        key = keys[account]
        most = CreditUnits(2**96 - 1) if limit is None else credit_units(NanoCredits(limit))
        voucher = Voucher(key.token, GATEWAY, HOLDER, epoch, most, UnixSeconds(NOW + 60), b"k" * 16)
        return SignedVoucher(DOMAIN.chain_id, voucher, key.signer, b"r" * 32, b"v" * 32)

    return form_batch(
        receipts,
        gateway=GATEWAY,
        batch_id=7,
        standings=standings,
        find_voucher=find,
        max_lines=max_lines,
        now=NOW,
    )


def standings_of(receipts: list[Receipt], spent: int, balance: int) -> dict[AccountId, OnChainStanding]:
    return {account: OnChainStanding(0, NanoCredits(spent), NanoCredits(balance)) for account in accounts_of(receipts)}


@given(requests, st.integers(0, 10**12), st.integers(0, 2 * 10**13), st.integers(1, 8))
def test_every_receipt_is_carried_left_out_or_waiting(
    receipts: list[Receipt], spent: int, balance: int, max_lines: int
):
    formed = form(receipts, standings_of(receipts, spent, balance), max_lines=max_lines)

    named = [receipt.id for receipt in formed.receipts] + [left.receipt for left in formed.left_out]
    assert max(Counter(named).values(), default=0) <= 1
    assert set(named) <= {receipt.id for receipt in receipts}
    assert len(named) + formed.waiting == len(receipts)


@given(requests, st.integers(0, 2 * 10**13), st.integers(1, 8))
def test_receipts_wait_only_for_lines_that_are_full(receipts: list[Receipt], balance: int, max_lines: int):
    """Accounts that can pay nothing would otherwise keep all others waiting, for ever."""
    formed = form(receipts, standings_of(receipts, 0, balance), max_lines=max_lines)

    lines = 0 if formed.batch is None else count_lines(formed.batch)
    assert lines <= max_lines
    assert lines == max_lines or not formed.waiting


def test_an_empty_account_takes_no_line_from_the_next():
    receipts = [a_receipt(number, TOKENS[0], SIGNERS[number], quantity=10, price=10**12) for number in range(3)]
    standings = standings_of(receipts, 0, 10**18)
    standings[account_id(receipts[0].account)] = OnChainStanding(0, NanoCredits(0), NanoCredits(0))

    formed = form(receipts, standings, max_lines=1)

    assert formed.receipts == (receipts[1],)
    assert [left.receipt for left in formed.left_out] == [receipts[0].id]
    assert formed.waiting == 1


@given(requests, st.integers(0, 10**12), st.integers(0, 2 * 10**13))
def test_counters_rise_by_what_the_carried_receipts_cost(receipts: list[Receipt], spent: int, balance: int):
    formed = form(receipts, standings_of(receipts, spent, balance))
    if formed.batch is None:
        assert formed.receipts == ()
        return

    lines = [(part.token, line) for part in formed.batch.tokens for line in part.lines]
    assert len({(token, line.signed.signer) for token, line in lines}) == len(lines)
    for token, line in lines:
        own = [r.cost for r in formed.receipts if (r.account.token, r.account.signer) == (token, line.signed.signer)]
        assert nanocredits(line.spent_after) - spent == sum(own)
        assert 0 < sum(own) <= balance
    assert formed.batch.receipts_root == receipts_root(formed.receipts)


@given(requests)
def test_usage_and_requests_are_those_of_the_carried_receipts(receipts: list[Receipt]):
    formed = form(receipts, standings_of(receipts, 0, 10**18))
    if formed.batch is None:
        return

    assert [part.token for part in formed.batch.tokens] == sorted(
        {receipt.account.token for receipt in formed.receipts}, key=str.lower
    )
    for part in formed.batch.tokens:
        own = [receipt for receipt in formed.receipts if receipt.account.token == part.token]
        assert part.requests == len(own)
        assert list(part.usage) == sorted(part.usage)
        assert sum(entry.quantity for entry in part.usage) == sum(line.quantity for r in own for line in r.lines)


@given(requests)
def test_no_token_burns_more_than_its_usage_costs_with_markup(receipts: list[Receipt]):
    """S5: burned <= cost x (1 + markup) + one nanocredit for each request."""
    formed = form(receipts, standings_of(receipts, 0, 10**18))
    if formed.batch is None:
        return

    for part in formed.batch.tokens:
        own = [receipt for receipt in formed.receipts if receipt.account.token == part.token]
        burned = sum(nanocredits(line.spent_after) for line in part.lines)
        unrounded = sum(total_cost(receipt.lines) for receipt in own) * (10_000 + MARKUP)
        assert (burned - part.requests) * 10_000 * PAR * 1_000 <= unrounded


@given(requests, st.integers(0, 10**12))
def test_nothing_is_carried_beyond_a_voucher(receipts: list[Receipt], limit: int):
    formed = form(receipts, standings_of(receipts, 0, 10**18), limit=limit)

    lines = [line for part in (formed.batch.tokens if formed.batch else ()) for line in part.lines]
    assert all(line.spent_after <= line.signed.voucher.max_spend for line in lines)


def test_what_no_live_voucher_covers_is_left_out():
    receipt = a_receipt(1, TOKENS[0], SIGNERS[0], quantity=10, price=10**12)

    formed = form_batch(
        [receipt],
        gateway=GATEWAY,
        batch_id=1,
        standings=standings_of([receipt], 0, 10**18),
        find_voucher=lambda *_: None,
        max_lines=10,
        now=NOW,
    )

    assert formed.batch is None
    why = "no voucher that has not expired covers it"
    assert [(left.receipt, left.why) for left in formed.left_out] == [(receipt.id, why)]


@given(
    st.permutations(
        [a_receipt(number, TOKENS[0], SIGNERS[0], quantity=10 + number, price=10**12) for number in range(4)]
    )
)
def test_the_root_does_not_depend_on_the_order(receipts: list[Receipt]):
    ordered = sorted(receipts, key=receipt_digest)

    assert receipts_root(receipts) == receipts_root(ordered)
