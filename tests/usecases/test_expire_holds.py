"""Holds that nobody ends are ended: the holder never pays for them."""

from datetime import datetime, timedelta

import pytest
from tests.usecases.town import Member, Till, now, quoted_for

from mintery.crypto.receipts import check_receipt_signature, sign_receipt
from mintery.crypto.vouchers import account_id
from mintery.domain.hold import ReleaseReason
from mintery.domain.price import FreshnessLimits, PriceInForce
from mintery.domain.quote import is_hard_stale
from mintery.domain.receipt import check_arithmetic
from mintery.units import UnixSeconds
from mintery.usecases.expire_holds import ExpiredHolds, expire_holds

QUARTER = timedelta(minutes=15)


@pytest.fixture
def member(till: Till) -> Member:
    opened = till.open_account("10")
    till.sync()
    return opened


def expire(till: Till, at: datetime) -> ExpiredHolds:
    return expire_holds(till.ledger, till.town.chain.domain, till.settler.address, at)


def available(till: Till, member: Member) -> int:
    account = till.ledger.account(account_id(member.key))
    assert account is not None
    return account.available


def test_what_was_never_sent_is_released_when_its_lease_lapses(till: Till, member: Member):
    receipt = till.receipt(member, till.town.lines(1_000))
    till.hold(member, receipt, dispatch=False, lease=60)
    lapses = receipt.captured_at + timedelta(seconds=60)
    assert expire(till, lapses - timedelta(seconds=1)) == ExpiredHolds(0, 0, 0)

    assert expire(till, lapses) == ExpiredHolds(released=1, lost=0, unresolved=0)

    record = till.ledger.request(receipt.id)
    assert record is not None
    assert record.hold.released_for is ReleaseReason.NOT_DISPATCHED
    assert till.ledger.receipt(receipt.id) is None
    assert available(till, member) == 10 * 10**9


def test_what_was_never_sent_is_released_at_once_when_its_price_is_too_old(till: Till, member: Member):
    unused, sent = (till.receipt(member, till.town.lines(1_000)) for _ in range(2))
    till.hold(member, unused, dispatch=False)
    till.hold(member, sent)
    prices = {line.sku: PriceInForce(line.sku, 1, 1, line.unit_price, UnixSeconds(0), False) for line in unused.lines}
    limits = FreshnessLimits()

    def expire_at(time: int) -> ExpiredHolds:
        return expire_holds(
            till.ledger,
            till.town.chain.domain,
            till.settler.address,
            now(),
            is_stale=lambda quoted: is_hard_stale(quoted.lines, prices, UnixSeconds(time), limits),
        )

    assert expire_at(limits.hard) == ExpiredHolds(0, 0, 0)
    assert expire_at(limits.hard + 1) == ExpiredHolds(released=1, lost=0, unresolved=0)

    assert available(till, member) == 10 * 10**9 - sent.held
    assert [hold.id for hold in till.ledger.open_holds()] == [sent.id]


def test_what_was_sent_waits_for_evidence_and_is_then_the_operators_loss(till: Till, member: Member):
    receipt = till.receipt(member, till.town.lines(1_000))
    till.hold(member, receipt, lease=60)
    lapses = receipt.captured_at + timedelta(seconds=60)
    assert expire(till, lapses) == ExpiredHolds(released=0, lost=0, unresolved=1)
    assert available(till, member) == 10 * 10**9 - receipt.held
    assert expire(till, lapses + QUARTER - timedelta(seconds=1)).unresolved == 1

    assert expire(till, lapses + QUARTER) == ExpiredHolds(released=0, lost=1, unresolved=0)

    assert available(till, member) == 10 * 10**9
    record = till.ledger.receipt(receipt.id)
    assert record is not None
    assert (record.receipt.cost, record.receipt.held) == (0, receipt.held)
    said = record.receipt
    assert (said.model, said.provider, said.upstream, said.test) == ("acme/small", "acme", "small-1", True)
    assert (said.kind, said.par, said.markup, said.lines) == (receipt.kind, receipt.par, receipt.markup, ())
    request = till.ledger.request(receipt.id)
    assert request is not None
    assert (request.epoch, request.quoted) == (0, quoted_for(receipt))
    check_arithmetic(record.receipt)
    check_receipt_signature(sign_receipt(record.receipt, till.settler))
    assert till.ledger.unbatched(limit=10) == []


def test_nothing_is_ended_twice(till: Till, member: Member):
    till.hold(member, till.receipt(member, till.town.lines(10)), dispatch=False, lease=1)
    later = now() + timedelta(hours=1)
    expire(till, later)

    assert expire(till, later) == ExpiredHolds(0, 0, 0)
