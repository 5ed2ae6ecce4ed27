"""Orders whose credits are made on a real dev chain: once, whatever is lost, relayed by others or run again."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.ledger.orders import decide
from tests.usecases.town import PAR, Till, now

from mintery.chain.delivery import Delivered, Delivery
from mintery.chain.rpc import Call, Rpc
from mintery.chain.sender import Sender
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.keys import PrivateKey
from mintery.crypto.transactions import read_transaction
from mintery.crypto.vouchers import account_id
from mintery.domain.chain_call import CallAttempt, CallId, CallKind
from mintery.domain.order import Decision, Order, OrderId, OrderStatus, Payment, Rail, Refund, RefundKind
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import (
    IdempotencyConflict,
    MalformedRequest,
    NotWholeCents,
    OrderTransitionRefused,
    RailNotOffered,
    RpcRefused,
    TopUpOutOfRange,
    TransactionReverted,
    UnknownProject,
    WrongGateway,
)
from mintery.ledger.commands import Done, NotWritten, SealRows
from mintery.ledger.commands_calls import FailCall, PlaceTopUp, PlanCalls, SaveCallAttempt
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.commands_refunds import OweUnused
from mintery.ledger.queries_lots import Lot
from mintery.ledger.queries_orders import OrderReads
from mintery.ledger.queries_refunds import LotRefund
from mintery.units import (
    AssetUnits,
    NanoCredits,
    UnixSeconds,
    Wei,
    credit_units,
    nanocredits_of_assets_down,
    parse_assets,
    parse_credits,
)
from mintery.usecases.alarms import Alarm
from mintery.usecases.call_effects import Foreign
from mintery.usecases.deposit_credits import relay_deposit, sign_deposit
from mintery.usecases.give_up_calls import tell_given_up
from mintery.usecases.mint_orders import mint_orders
from mintery.usecases.order_desk import OrderDesk, Treasury
from mintery.usecases.place_order import OrderAsked, place_order, planned_call
from mintery.usecases.refund_lot import RefundAsked, offer_refund, owe_unused, refund_lot
from mintery.usecases.review_orders import finish_refund, take_bank_payment
from mintery.usecases.send_calls import Sent, send_call, send_calls
from mintery.usecases.show_orders import lot_refund_json, order_in_full
from mintery.usecases.signed_texts import authorization_text, deposit_text, read_deposit, read_top_up, top_up_text
from mintery.usecases.top_up import relay_top_up, sign_top_up
from mintery.usecases.watch_orders import look_at_order, watch_orders

TWENTY = parse_assets("20")


def account_of(till: Till, holder: PrivateKey) -> AccountKey:
    return AccountKey(till.town.token, till.gateway, holder.address, PrivateKey.generate().address)


def bank_order(
    till: Till, desk: OrderDesk, holder: PrivateKey, *, signed: bool = True, paid: int = TWENTY, valid_for: int = 3_600
) -> Order:
    """Paid, reviewed and accepted; ``signed``: the holder lets the credits go on into the account."""
    key = account_of(till, holder)
    deposit = sign_deposit(till.town.chain, holder, key, parse_credits("20"), valid_for=valid_for)
    text = deposit_text(deposit) if signed else None
    order = place_order(desk, OrderAsked(key, Rail.BANK, TWENTY, signed=text), now())
    assert order.reference is not None
    payment = Payment(f"bank-{order.id}", AssetUnits(paid), now())
    take_bank_payment(till.ledger, order.reference.lower(), payment, "operator", now())
    till.ledger.commit([decide(order, Decision.ACCEPTED, at=now())])
    return order


def run(desk: OrderDesk, times: int = 4) -> None:
    for _ in range(times):
        mint_orders(desk, now())
        send_calls(desk, now())
        watch_orders(desk, now())


def balance(till: Till, key: AccountKey) -> int:
    till.sync()
    account = till.ledger.account(account_id(key))
    return 0 if account is None else account.available


def test_an_accepted_transfer_becomes_credits_in_the_account(till: Till, desk: OrderDesk):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)
    reserve = till.town.chain.vault.project_of(till.town.token).reserve

    run(desk)

    assert balance(till, order.account) == 20 * 10**9
    assert till.town.chain.vault.project_of(till.town.token).reserve == reserve + TWENTY
    mint, deposit = till.ledger.chain_calls.of(order.id)
    assert (mint.effect.credits, deposit.effect.credits) == (parse_credits("20"), parse_credits("20"))
    assert till.ledger.chain_calls.open() == []
    assert till.ledger.orders.order(order.id).status_at(now()) is OrderStatus.PAID


def test_without_the_holders_signature_the_credits_wait_in_the_wallet(till: Till, desk: OrderDesk):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder, signed=False)

    run(desk)

    assert balance(till, order.account) == 0
    assert till.town.chain.token(till.town.token).balance_of(holder.address) == parse_credits("20")


def test_what_came_is_minted_and_not_what_was_asked_for(till: Till, desk: OrderDesk):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder, paid=TWENTY - 1_230_000)

    run(desk)

    credits_ = credit_units(nanocredits_of_assets_down(AssetUnits(TWENTY - 1_230_000), PAR))
    assert till.town.chain.token(till.town.token).balance_of(holder.address) == credits_
    assert [call.kind for call in till.ledger.chain_calls.of(order.id)] == [CallKind.MINT]


def mint_alone(till: Till, desk: OrderDesk, order: Order) -> None:
    """The credits are in the holder's wallet, and nobody has sent the deposit yet."""
    mint_orders(desk, now())
    mint = till.ledger.chain_calls.call(CallId(f"{order.id}/mint"))
    assert mint is not None
    assert send_call(desk, mint, now()) is Sent.LEFT
    assert till.town.chain.token(till.town.token).balance_of(order.account.holder) == parse_credits("20")


def later(minutes: int = 30) -> datetime:
    """When every pause is over."""
    return now() + timedelta(minutes=minutes)


def test_a_deposit_waits_for_credits_that_the_holder_moved(till: Till, desk: OrderDesk):
    holder, friend = till.town.funded(), till.town.funded()
    order = bank_order(till, desk, holder)
    mint_alone(till, desk, order)
    token = till.town.chain.token(till.town.token)
    token.transfer(till.town.chain.sender(holder), friend.address, parse_credits("1"))

    run(desk)

    shown = order_in_full(till.ledger, order, now(), bank_details=None)["on_chain"][1]
    assert (shown["kind"], shown["status"]) == ("deposit", "under_way")
    assert "ERC20InsufficientBalance" in shown["why"]
    token.transfer(till.town.chain.sender(friend), holder.address, parse_credits("1"))
    for _ in range(2):
        send_calls(desk, later())

    assert balance(till, order.account) == 20 * 10**9
    assert till.ledger.chain_calls.open() == []
    assert till.ledger.postponed.longest() == []
    assert till.alarms.standing() == ()


def test_a_deposit_whose_time_is_over_leaves_the_credits_in_the_wallet_and_says_so(till: Till, desk: OrderDesk):
    holder = till.town.funded()
    order = bank_order(till, desk, holder, valid_for=120)
    mint_alone(till, desk, order)
    token = till.town.chain.token(till.town.token)
    token.transfer(till.town.chain.sender(holder), till.town.issuer.address, parse_credits("1"))
    run(desk)

    till.town.advance(130)
    send_calls(desk, later())

    mint, deposit = till.ledger.chain_calls.of(order.id)
    assert mint.effect is not None
    assert "ran out; before that" in str(deposit.failed_why)
    assert "ERC20InsufficientBalance" in str(deposit.failed_why)
    assert [(each.alarm, each.subject) for each in till.alarms.standing()] == [(Alarm.CALL_GIVEN_UP, order.id)]
    assert till.ledger.chain_calls.open() == []
    assert token.balance_of(holder.address) == parse_credits("19")
    tell_given_up(desk, now() + timedelta(days=8))
    assert till.alarms.standing() == ()


@pytest.mark.parametrize("kind", [CallKind.DEPOSIT, CallKind.COLLECT, CallKind.RELEASE])
def test_one_refusal_ends_no_call(till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch, kind: CallKind):
    """A node that is behind, or lies, says once that the call reverts."""
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)
    gas_limit, refusals = Sender.gas_limit, iter([True])

    def refuses(self: Sender, call: Call) -> int:
        if call.action == f"order.{kind}" and next(refusals, False):
            raise TransactionReverted(call.action, "ReleaseAboveBalance", {})
        return gas_limit(self, call)

    monkeypatch.setattr(Sender, "gas_limit", refuses)
    run(desk)
    if kind is CallKind.DEPOSIT:
        assert till.ledger.chain_calls.failed() == []
        for hours in range(1, 3):
            send_calls(desk, later(60 * hours))
    refund = all_back(till, desk, order, holder)
    for hours in range(1, 6):
        send_calls(desk, later(60 * hours))
        till.sync()
        owe_unused(desk, now())

    assert next(refusals, None) is None
    assert till.ledger.chain_calls.open() == []
    assert till.ledger.lot_refunds.refund(refund.id).status == "owed"
    (due,) = till.ledger.orders.refunds_due(Rail.BANK)
    assert due.assets == TWENTY


def all_back(till: Till, desk: OrderDesk, order: Order, holder: PrivateKey, *, valid_for: int = 86_400) -> LotRefund:
    """Everything that the order brought is asked back over its rail."""
    lot = lot_of(till, order)
    _, fields = offer_refund(desk, order.account, lot.remaining, now())
    signed = till.town.chain.token(till.town.token).sign_authorization(
        holder,
        desk.paying().key.address,
        int(fields["amount"]),
        nonce=bytes.fromhex(fields["nonce"]),
        valid_before=UnixSeconds(till.town.chain.next_time() + valid_for),
    )
    asked = RefundAsked(lot.id, lot.remaining, "rail", authorization_text(signed))
    return refund_lot(desk, order.account, asked, now())


def test_a_release_is_sent_once_though_an_endpoint_hides_its_receipt(
    till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch
):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)
    run(desk)
    other = till.open_account("20")
    lot = lot_of(till, order)
    refund = refund_lot(desk, order.account, RefundAsked(lot.id, NanoCredits(10 * 10**9), "wallet"), now())
    monkeypatch.setattr(Rpc, "receipt", lambda *_: None)

    for _ in range(4):
        send_calls(desk, later())
        till.sync()

    assert till.ledger.lot_refunds.refund(refund.id).status == "in_wallet"
    assert till.town.chain.token(till.town.token).balance_of(holder.address) == parse_credits("10")
    assert balance(till, order.account) == 10 * 10**9
    assert balance(till, other.key) == 20 * 10**9


def test_of_two_processes_that_sign_a_release_one_may_send_it(till: Till, desk: OrderDesk):
    """One was stopped after it had found no attempts, and goes on when another one leads."""
    order = bank_order(till, desk, PrivateKey.generate())
    run(desk)
    refund = refund_lot(desk, order.account, RefundAsked(lot_of(till, order).id, NanoCredits(10**9), "wallet"), now())
    release = till.ledger.chain_calls.call(CallId(f"{refund.id}/release"))
    assert release is not None
    first, second = (
        CallAttempt(f"0x{n:064x}", release.id, desk.paying().key.address, n, bytes([n]), now()) for n in (1, 2)
    )

    assert isinstance(till.ledger.commit([SaveCallAttempt(first, 0)])[0], Done)
    assert isinstance(till.ledger.commit([SaveCallAttempt(first, 0)])[0], Done), "the same one again is no other"
    assert isinstance(till.ledger.commit([SaveCallAttempt(second, 0)])[0], NotWritten)
    assert isinstance(till.ledger.commit([SaveCallAttempt(second, 1)])[0], Done)


def test_a_release_that_the_account_cannot_pay_ends_when_that_is_final(till: Till, desk: OrderDesk):
    order = bank_order(till, desk, PrivateKey.generate())
    run(desk)
    call = till.town.chain.escrow.release_call(order.account, parse_credits("21"))
    release = planned_call(desk, "rfd_x", CallKind.RELEASE, call, authority=None, now=now())
    till.ledger.commit([PlanCalls((replace(release, first_block=release.first_block + 2),))])

    assert send_calls(desk, now()) == {"rfd_x/release": Sent.WAITS}
    assert send_calls(desk, now()) == {}
    till.town.advance(1)
    till.town.advance(1)
    assert send_calls(desk, later()) == {"rfd_x/release": Sent.FAILED}


def test_a_collection_that_the_holder_prevents_is_told_and_owes_nothing(till: Till, desk: OrderDesk):
    holder = till.town.funded()
    order = bank_order(till, desk, holder)
    run(desk)
    refund = all_back(till, desk, order, holder, valid_for=120)
    send_calls(desk, now())
    token = till.town.chain.token(till.town.token)
    token.transfer(till.town.chain.sender(holder), till.town.issuer.address, parse_credits("20"))
    for hours in range(1, 4):
        send_calls(desk, later(60 * hours))
        till.sync()
        owe_unused(desk, now())
    waits = lot_refund_json(till.ledger, till.ledger.lot_refunds.refund(refund.id))
    assert (waits["status"], waits["on_chain"][1]["status"]) == ("released", "under_way")
    assert "ERC20InsufficientBalance" in waits["on_chain"][1]["why"]

    till.town.advance(130)
    send_calls(desk, later(300))
    owe_unused(desk, now())

    told = lot_refund_json(till.ledger, till.ledger.lot_refunds.refund(refund.id))
    assert told["status"] == "not_collected"
    assert "ran out" in told["why"]
    assert [(each.alarm, each.subject) for each in till.alarms.standing()] == [(Alarm.CALL_GIVEN_UP, refund.id)]
    assert till.ledger.orders.refunds_due() == []


def test_what_the_chain_released_is_the_refunds_that_it_was_sent_for(till: Till, desk: OrderDesk):
    order = bank_order(till, desk, PrivateKey.generate())
    run(desk)
    asked = RefundAsked(lot_of(till, order).id, NanoCredits(5 * 10**9), "wallet")
    older, newer = (refund_lot(desk, order.account, asked, now()) for _ in range(2))
    (release,) = till.ledger.chain_calls.of(newer.id)
    assert send_call(desk, release, now()) is Sent.LEFT
    till.sync()

    statuses = [till.ledger.lot_refunds.refund(each.id).status for each in (older, newer)]

    assert statuses == ["under_way", "in_wallet"]


def test_what_was_collected_and_never_released_is_told(till: Till, desk: OrderDesk):
    """The holder had other credits for it, and anybody may send what was signed."""
    holder, anyone = PrivateKey.generate(), till.town.funded()
    order = bank_order(till, desk, holder)
    run(desk)
    refund = all_back(till, desk, order, holder)
    release, collect = till.ledger.chain_calls.of(refund.id)
    till.town.chain.token(till.town.token).transfer(till.town.issuer, holder.address, parse_credits("20"))
    till.town.chain.sender(anyone).send(Call("collect", collect.to, collect.calldata))
    assert send_call(desk, collect, now()) is Sent.ENDED
    till.sync()
    owe_unused(desk, now())
    assert not till.alarms.standing(), "its release may still come"

    till.ledger.commit([FailCall(release.id, "ReleaseAboveBalance", now())])
    owe_unused(desk, now())

    (alarm,) = till.alarms.standing()
    assert (alarm.alarm, alarm.subject) == (Alarm.ORDERS_WAIT, refund.id)
    assert "nothing was released for it" in alarm.why
    assert till.ledger.orders.refunds_due() == []


def test_another_relayer_of_the_deposit_changes_nothing(till: Till, desk: OrderDesk):
    order = bank_order(till, desk, PrivateKey.generate())
    mint_alone(till, desk, order)
    relay_deposit(till.town.chain, till.town.admin, read_deposit(str(order.signed), order.account))

    run(desk)

    assert balance(till, order.account) == 20 * 10**9
    _, deposit = till.ledger.chain_calls.of(order.id)
    assert deposit.effect is not None
    assert till.ledger.chain_calls.attempts_of(deposit.id) == []


def test_lost_answers_mint_nothing_twice(till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch):
    """Every answer of the chain is lost: the same call goes out again and again, and has one effect."""
    order = bank_order(till, desk, PrivateKey.generate())
    deliver: Callable[[Sender, bytes], Delivered] = Sender.deliver

    def lost(self: Sender, raw: bytes) -> Delivered:
        deliver(self, raw)
        return Delivered(Delivery.MAYBE, "no answer")

    monkeypatch.setattr(Sender, "deliver", lost)
    run(desk, times=6)

    assert balance(till, order.account) == 20 * 10**9
    assert till.town.chain.token(till.town.token).balance_of(order.account.holder) == 0


def test_what_is_in_no_block_is_told_by_when_it_was_first_signed(
    till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch
):
    """What came before, as days of waiting for the holder's credits, is none of the chain's."""
    order = bank_order(till, desk, PrivateKey.generate(), signed=False)
    mint_orders(desk, now())
    (mint,) = till.ledger.chain_calls.of(order.id)
    monkeypatch.setattr(Sender, "deliver", lambda *_: Delivered(Delivery.MAYBE, "no answer"))
    first = now() + timedelta(days=3)
    told = []
    for seconds in (0, 1, 9 * desk.bump_after, 10 * desk.bump_after):
        send_call(desk, mint, first + timedelta(seconds=seconds))
        told.append([each.why for each in till.alarms.standing()])

    assert told[:3] == [[], [], []]
    ((why,),) = told[3:]
    assert f"{mint.id}: in no block for {10 * desk.bump_after} s" in why


def test_two_that_send_with_one_key_at_once_never_use_one_nonce(
    till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch
):
    """Whoever reads the next nonce waits for the other one to read it too, as far as that one can."""
    order = bank_order(till, desk, PrivateKey.generate(), signed=False)
    mint_orders(desk, now())
    (mint,) = till.ledger.chain_calls.of(order.id)
    both, nonces = threading.Barrier(2), list[int]()
    read_nonce, broadcast = Rpc.nonce, Rpc.broadcast

    def reads(self: Rpc, address: Address, tag: str = "latest") -> int:
        if tag == "pending":
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)
        return read_nonce(self, address, tag)

    def sends(self: Rpc, raw: bytes) -> None:
        nonces.append(read_transaction(raw).nonce)
        broadcast(self, raw)

    monkeypatch.setattr(Rpc, "nonce", reads)
    monkeypatch.setattr(Rpc, "broadcast", sends)
    sender = till.town.chain.sender(desk.paying().key)
    with ThreadPoolExecutor(2) as pool:
        outbox = pool.submit(send_call, desk, mint, now())
        relayed = pool.submit(sender.send, Call("pay", till.gateway, b"", value=Wei(1)))

        assert (outbox.result(), relayed.result().succeeded) == (Sent.LEFT, True)

    assert len(nonces) == 2
    assert len(set(nonces)) == 2


def test_an_order_that_the_vault_refuses_keeps_its_payment_returnable(till: Till, desk: OrderDesk):
    order = bank_order(till, replace(desk), PrivateKey.generate())
    poor = till.town.funded()
    empty = replace(desk, treasury=Treasury(poor, till.town.chain.sender(poor)))

    assert mint_orders(empty, now()) == 0

    assert [each.subject for each in till.alarms.standing()] == [order.id]
    assert till.ledger.orders.order(order.id).minting_at is None
    assert mint_orders(desk, now()) == 0
    assert mint_orders(desk, later()) == 1
    run(desk)
    assert till.alarms.standing() == ()
    assert balance(till, order.account) == 20 * 10**9


def test_a_signed_top_up_is_relayed_and_paid_by_the_chain(till: Till, desk: OrderDesk):
    holder, asked = signed_top_up(till)
    order = place_order(desk, asked, now())
    assert order.status_at(now()) is OrderStatus.PENDING

    run(desk)

    paid = till.ledger.orders.order(order.id)
    assert paid.status_at(now()) is OrderStatus.PAID
    assert paid.closed_at is not None
    assert balance(till, order.account) == 20 * 10**9
    assert till.town.chain.asset.balance_of(holder.address) == 0


def signed_top_up(till: Till) -> tuple[PrivateKey, OrderAsked]:
    holder = PrivateKey.generate()
    asset = till.town.chain.asset
    assert isinstance(asset, TestDollar)
    asset.mint(till.town.admin, holder.address, TWENTY)
    key = account_of(till, holder)
    signed = sign_top_up(till.town.chain, holder, key, TWENTY, valid_for=900)
    return holder, OrderAsked(key, Rail.CHAIN, TWENTY, signed=top_up_text(signed))


def test_a_top_up_that_the_holder_relayed_itself_is_found(till: Till, desk: OrderDesk):
    holder = till.town.funded()
    asset = till.town.chain.asset
    assert isinstance(asset, TestDollar)
    asset.mint(till.town.admin, holder.address, 2 * TWENTY)
    key = account_of(till, holder)
    signed = sign_top_up(till.town.chain, holder, key, TWENTY, valid_for=900)
    order = place_order(desk, OrderAsked(key, Rail.CHAIN, TWENTY, signed=top_up_text(signed)), now())
    relay_top_up(till.town.chain, till.town.chain.sender(holder), signed)

    run(desk)

    (call,) = till.ledger.chain_calls.of(order.id)
    assert call.effect is not None
    assert till.ledger.chain_calls.attempts_of(call.id) == []
    assert till.ledger.orders.order(order.id).status_at(now()) is OrderStatus.PAID


def test_an_authorization_is_one_orders_alone(till: Till, desk: OrderDesk):
    _, asked = signed_top_up(till)
    place_order(desk, asked, now())
    with pytest.raises(IdempotencyConflict):
        place_order(desk, asked, now())


def test_an_expired_top_up_is_closed_unpaid(till: Till, desk: OrderDesk):
    _, asked = signed_top_up(till)
    order = place_order(desk, asked, now())
    till.town.advance(1_000)

    run(desk)

    left = till.ledger.orders.order(order.id)
    assert (left.payment, left.closed_at is not None) == (None, True)
    assert left.status_at(order.expires_at) is OrderStatus.EXPIRED
    assert look_at_order(desk, left, order.expires_at) == left


def test_what_is_not_for_this_is_refused(till: Till, desk: OrderDesk):
    _, asked = signed_top_up(till)
    other, elsewhere = account_of(till, PrivateKey.generate()), PrivateKey.generate().address
    another = sign_deposit(till.town.chain, PrivateKey.generate(), asked.account, parse_credits("20"))
    forged = replace(another, authorization=replace(another.authorization, sender=asked.account.holder))
    for wrong, refusal in (
        (replace(asked, account=other), MalformedRequest),
        (replace(asked, assets=AssetUnits(TWENTY + 1)), MalformedRequest),
        (replace(asked, signed="{}"), MalformedRequest),
        (replace(asked, signed="x"), MalformedRequest),
        (replace(asked, signed=None), MalformedRequest),
        (replace(asked, rail=Rail.CARD), RailNotOffered),
        (replace(asked, rail=Rail.BANK), MalformedRequest),
        (replace(asked, rail=Rail.BANK, signed=deposit_text(another)), MalformedRequest),
        (replace(asked, rail=Rail.BANK, signed=deposit_text(forged)), TransactionReverted),
        (replace(asked, rail=Rail.BANK, assets=AssetUnits(TWENTY + 1)), NotWholeCents),
        (replace(asked, assets=AssetUnits(1)), TopUpOutOfRange),
        (replace(asked, account=replace(asked.account, gateway=elsewhere)), WrongGateway),
        (replace(asked, account=replace(asked.account, token=elsewhere)), UnknownProject),
    ):
        with pytest.raises(refusal):
            place_order(desk, wrong, now())
    assert till.ledger.orders.recent() == []


def lot_of(till: Till, order: Order) -> Lot:
    till.sync()
    till.ledger.commit([SealRows(1_000, now()), TraceLots(1_000)])
    (lot,) = till.ledger.lots.of_accounts([account_id(order.account)])
    assert lot.order == order.id
    return lot


def test_the_unused_part_goes_back_over_the_rail_once(till: Till, desk: OrderDesk):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)
    run(desk)
    lot = lot_of(till, order)
    assert lot.remaining == 20 * 10**9
    five = NanoCredits(5 * 10**9)
    _, fields = offer_refund(desk, order.account, five, now())
    signed = till.town.chain.token(till.town.token).sign_authorization(
        holder,
        desk.paying().key.address,
        int(fields["amount"]),
        nonce=bytes.fromhex(fields["nonce"]),
        valid_before=fields["valid_before"],
    )
    text = authorization_text(signed)
    with pytest.raises(MalformedRequest):
        refund_lot(desk, order.account, RefundAsked(lot.id, NanoCredits(five + 1), "rail", text), now())

    asked = refund_lot(desk, order.account, RefundAsked(lot.id, five, "rail", text), now())
    with pytest.raises(OrderTransitionRefused):
        refund_lot(desk, order.account, RefundAsked(lot.id, NanoCredits(16 * 10**9), "wallet"), now())
    for _ in range(4):
        send_calls(desk, now())
        till.sync()
        owe_unused(desk, now())

    (due,) = till.ledger.orders.refunds_due(Rail.BANK)
    assert (due.assets, due.kind, due.order) == (parse_assets("5"), RefundKind.UNUSED, order.id)
    assert till.ledger.lot_refunds.refund(asked.id).status == "owed"
    assert till.town.chain.token(till.town.token).balance_of(desk.paying().key.address) == parse_credits("5")
    finish_refund(till.ledger, due.id, "bank-back-1", by="operator", now=now())
    after = till.ledger.orders.order(order.id)
    assert (after.refunded, after.status_at(now())) == (parse_assets("5"), OrderStatus.PAID)
    assert lot_of(till, order).remaining == 15 * 10**9
    assert balance(till, order.account) == 15 * 10**9
    till.ledger.check()


def test_a_refund_for_which_nothing_is_left_to_owe_is_an_alarm(till: Till, desk: OrderDesk):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)
    run(desk)
    lot = lot_of(till, order)
    five = NanoCredits(5 * 10**9)
    _, fields = offer_refund(desk, order.account, five, now())
    signed = till.town.chain.token(till.town.token).sign_authorization(
        holder,
        desk.paying().key.address,
        int(fields["amount"]),
        nonce=bytes.fromhex(fields["nonce"]),
        valid_before=fields["valid_before"],
    )
    rail = RefundAsked(lot.id, five, "rail", authorization_text(signed))
    asked = refund_lot(desk, order.account, rail, now())
    payment = till.ledger.orders.order(order.id).payment.id
    all_of_it = Refund("back", order.id, Rail.BANK, payment, RefundKind.UNUSED, "by hand", TWENTY, now())
    other = refund_lot(desk, order.account, RefundAsked(lot.id, five, "wallet"), now())
    till.ledger.commit([OweUnused(other.id, all_of_it)])
    with pytest.raises(MalformedRequest, match="less than a cent"):
        refund_lot(desk, order.account, rail, now())

    owed = 0
    for _ in range(4):
        send_calls(desk, now())
        till.sync()
        owed += owe_unused(desk, now())

    assert owed == 0
    (alarm,) = desk.alarms.standing()
    assert (alarm.alarm, alarm.subject) == (Alarm.ORDERS_WAIT, asked.id)
    assert f"lot {lot.id}" in alarm.why


def test_the_unused_part_comes_to_the_wallet_to_be_redeemed(till: Till, desk: OrderDesk):
    holder, asked = signed_top_up(till)
    order = place_order(desk, asked, now())
    run(desk)
    lot = lot_of(till, order)
    with pytest.raises(RailNotOffered):
        refund_lot(desk, order.account, RefundAsked(lot.id, lot.remaining, "rail", "{}"), now())

    refund = refund_lot(desk, order.account, RefundAsked(lot.id, lot.remaining, "wallet"), now())
    for _ in range(3):
        send_calls(desk, now())
        till.sync()

    assert till.ledger.lot_refunds.refund(refund.id).status == "in_wallet"
    assert till.town.chain.token(till.town.token).balance_of(holder.address) == parse_credits("20")
    assert balance(till, order.account) == 0
    assert lot_of(till, order).remaining == 0


def test_a_nonce_spent_on_somebody_else_is_no_collection(till: Till, desk: OrderDesk):
    """The holder signs one nonce twice: to the treasury, and to a friend, and sends the friend's."""
    holder, friend, anyone = PrivateKey.generate(), PrivateKey.generate(), till.town.funded()
    order = bank_order(till, desk, holder)
    run(desk)
    lot = lot_of(till, order)
    _, fields = offer_refund(desk, order.account, lot.remaining, now())
    token = till.town.chain.token(till.town.token)
    ours, theirs = (
        token.sign_authorization(
            holder,
            receiver,
            int(fields["amount"]),
            nonce=bytes.fromhex(fields["nonce"]),
            valid_before=fields["valid_before"],
        )
        for receiver in (desk.paying().key.address, friend.address)
    )
    collected = token.balance_of(desk.paying().key.address)
    asked = RefundAsked(lot.id, lot.remaining, "rail", authorization_text(ours))
    refund = refund_lot(desk, order.account, asked, now())
    release = till.ledger.chain_calls.call(CallId(f"{refund.id}/release"))
    assert send_call(desk, release, now()) is Sent.LEFT
    token.transfer_authorized(till.town.chain.sender(anyone), theirs)

    for _ in range(4):
        send_calls(desk, now())
        till.sync()
        owe_unused(desk, now())

    assert till.ledger.orders.refunds_due(Rail.BANK) == []
    assert till.ledger.chain_calls.call(CallId(f"{refund.id}/collect")).failed_why == Foreign.USED.value
    assert token.balance_of(desk.paying().key.address) == collected
    assert till.ledger.chain_calls.open() == []


def test_a_nonce_spent_on_somebody_else_is_no_top_up(till: Till, desk: OrderDesk):
    holder, asked = signed_top_up(till)
    order = place_order(desk, asked, now())
    signed = read_top_up(str(asked.signed), order.account).authorization
    asset = till.town.chain.asset
    other = asset.sign_authorization(
        holder, PrivateKey.generate().address, 1, nonce=signed.nonce, valid_before=signed.valid_before
    )
    till.town.chain.sender(till.town.funded()).send(asset.authorized_transfer_call(other))

    run(desk)

    assert till.ledger.chain_calls.call(CallId(f"{order.id}/top_up")).failed_why == Foreign.USED.value
    assert till.ledger.orders.order(order.id).payment is None


def test_one_key_is_charged_once_whatever_else_is_signed_with_it(till: Till, desk: OrderDesk):
    holder, asked = signed_top_up(till)
    asset = till.town.chain.asset
    asset.mint(till.town.admin, holder.address, 2 * TWENTY)
    keyed = replace(asked, idempotency_key="k")
    order = place_order(desk, keyed, now())
    again, other = (
        top_up_text(sign_top_up(till.town.chain, holder, asked.account, assets, valid_for=900))
        for assets in (TWENTY, AssetUnits(TWENTY // 2))
    )

    for signed, assets in ((again, TWENTY), (other, AssetUnits(TWENTY // 2))):
        with pytest.raises(IdempotencyConflict):
            place_order(desk, replace(keyed, signed=signed, assets=assets), now())
    run(desk)

    assert place_order(desk, keyed, now()).id == order.id
    assert till.ledger.chain_calls.open() == []
    assert asset.balance_of(holder.address) == 2 * TWENTY


def test_of_two_asked_at_once_the_later_one_is_the_first_one(till: Till, desk: OrderDesk):
    """The first is placed, and has been paid on chain, while the second one's chain is asked: it refuses the second."""
    _, asked = signed_top_up(till)
    keyed = replace(asked, idempotency_key="k")
    first = place_order(desk, keyed, now())
    run(desk)
    answers = iter([None, first])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OrderReads, "by_key", lambda *_: next(answers))
        assert place_order(desk, keyed, now()).id == first.id


def test_what_is_refused_plans_no_call(till: Till, desk: OrderDesk):
    """Two processes are asked with one key at once: neither knows of the other before it commits."""
    _, asked = signed_top_up(till)
    order = place_order(desk, replace(asked, idempotency_key="k"), now())
    (call,) = till.ledger.chain_calls.of(order.id)
    late = replace(order, id=OrderId("ord_late"), reference="0xlate", signed="other")
    authority = replace(call.authority, nonce=bytes(32))

    (told,) = till.ledger.commit([PlaceTopUp(late, (replace(call, subject=late.id, authority=authority),))])

    assert isinstance(told, NotWritten)
    assert [each.id for each in till.ledger.chain_calls.open()] == [call.id]


def test_a_hundred_calls_that_wait_hold_up_no_others(till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch):
    """Each of them meets an error of its own."""
    _, asked = signed_top_up(till)
    (stuck,) = till.ledger.chain_calls.of(place_order(desk, asked, now()).id)
    many = [
        replace(stuck, subject=f"ord_{n:03}", authority=replace(stuck.authority, nonce=n.to_bytes(32)))
        for n in range(101)
    ]
    till.ledger.commit([PlanCalls(tuple(many))])
    gas_limit: Callable[[Sender, Call], int] = Sender.gas_limit

    def refused(self: Sender, call: Call) -> int:
        if call.action == "order.top_up":
            raise RpcRefused("eth_estimateGas", -32_000, call.action)
        return gas_limit(self, call)

    monkeypatch.setattr(Sender, "gas_limit", refused)
    order = bank_order(till, desk, PrivateKey.generate())

    mint_orders(desk, now())
    sent = [send_calls(desk, now()) for _ in range(3)]

    assert len(sent[0]) == len(many) + 3
    assert balance(till, order.account) == 20 * 10**9


def test_a_call_past_its_time_ends_whatever_its_token_says(
    till: Till, desk: OrderDesk, monkeypatch: pytest.MonkeyPatch
):
    _, asked = signed_top_up(till)
    order = place_order(desk, asked, now())

    def refused(_self: Sender, call: Call) -> int:
        raise TransactionReverted(call.action, "Error", {"message": "authorization is expired"})

    monkeypatch.setattr(Sender, "gas_limit", refused)
    send_calls(desk, now())
    assert len(till.ledger.chain_calls.open()) == 1
    till.town.advance(1_000)
    send_calls(desk, later())

    assert till.ledger.chain_calls.open() == []
    assert till.ledger.orders.order(order.id).payment is None
