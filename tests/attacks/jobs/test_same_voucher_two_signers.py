"""A voucher's digest leaves its signer out: two signers of one holder may sign the very same voucher."""

from dataclasses import replace

from tests.ledger.samples import DOMAIN, NOON, QUOTED, Wallet, receipt, wallet
from tests.ledger.samples import place as place_hold

from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id, sign_voucher, voucher_digest
from mintery.domain.voucher import SignedVoucher
from mintery.ledger.commands import AppendBlock, Block, CaptureHold, DepositSeen, HoldPlaced, PlaceHold
from mintery.ledger.store import LedgerStore
from mintery.units import NanoCredits, UnixSeconds

SESSION = PrivateKey.from_bytes(b"\x77" * 32)


def by_session(alice: Wallet) -> SignedVoucher:
    """What ``alice.voucher`` says, signed by her session key."""
    return sign_voucher(alice.voucher(10**12).voucher, DOMAIN, SESSION)


def both_deposit(ledger: LedgerStore, alice: Wallet) -> None:
    keys = (alice.account, by_session(alice).account)
    events = tuple((at, DepositSeen(account_id(key), key, NanoCredits(1_000))) for at, key in enumerate(keys))
    ledger.commit([AppendBlock(Block(1, "0x" + "01" * 32, "0x" + "00" * 32, UnixSeconds(1)), events)])


def by_session_key(alice: Wallet, number: int, *, raised: bytes | None = None) -> PlaceHold:
    signed = by_session(alice)
    return replace(place_hold(number, alice, 100, raised=raised), account=account_id(signed.account), signed=signed)


def test_each_account_keeps_its_own_signature(ledger: LedgerStore):
    alice = wallet()
    both_deposit(ledger, alice)
    placed = ledger.commit([place_hold(1, alice, 100), by_session_key(alice, 2)])
    assert [type(each) for each in placed] == [HoldPlaced, HoldPlaced]
    theirs = by_session(alice)
    done = replace(receipt(2, alice, 100, 100), account=theirs.account)
    ledger.commit([CaptureHold(done.id, done, None)])

    assert ledger.highest_voucher(account_id(theirs.account), 0, UnixSeconds(0)) == theirs
    assert ledger.highest_voucher(alice.id, 0, UnixSeconds(0)) == alice.voucher(10**12)


def test_a_raised_voucher_admits_one_request_of_each_account(ledger: LedgerStore):
    alice = wallet()
    both_deposit(ledger, alice)
    digest = voucher_digest(alice.voucher(10**12).voucher, DOMAIN)
    first, second = place_hold(1, alice, 100, raised=digest), by_session_key(alice, 2, raised=digest)

    placed = ledger.commit([first, second])

    assert [type(each) for each in placed] == [HoldPlaced, HoldPlaced]
    mine, theirs = ledger.by_raised(first.account, digest), ledger.by_raised(second.account, digest)
    assert mine is not None
    assert theirs is not None
    assert (mine.id, theirs.id) == (first.request, second.request)
    assert (mine.quoted, mine.hold.placed_at) == (QUOTED, NOON)
