"""What a holder signed for a deposit or a refund stands among its authorities until it is used, runs out or is taken back."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from tests.usecases.test_orders_on_chain import (
    all_back,
    balance,
    bank_order,
    later,
    lot_of,
    mint_alone,
    run,
    signed_top_up,
)
from tests.usecases.town import Till, now

from mintery.crypto.keys import PrivateKey
from mintery.domain.authority import Authority, AuthorityKind
from mintery.domain.chain_call import CallKind
from mintery.domain.voucher import Address
from mintery.ledger.commands import SealRows
from mintery.units import parse_credits
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.place_order import place_order
from mintery.usecases.send_calls import send_calls
from mintery.usecases.signatures import Signatures


@dataclass
class Parts:
    """What of a gateway's parts signatures need."""

    desk: OrderDesk | None

    def clock(self) -> datetime:
        return now()


def standing(desk: OrderDesk, holder: Address) -> list[Authority]:
    return list(Signatures().of(Parts(desk), holder))  # type: ignore[arg-type]  # all that it asks of them


def revoke(desk: OrderDesk, holder: Address, authority: Authority) -> None:
    Signatures().revoke(Parts(desk), holder, authority)  # type: ignore[arg-type]  # as above


def test_a_deposits_signature_stands_from_the_order_until_it_is_used(till: Till, desk: OrderDesk):
    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)

    for _ in range(2):
        (stands,) = standing(desk, holder.address)
        assert (stands.id, stands.kind) == (f"signature:deposit:{order.id}", AuthorityKind.SIGNATURE)
        assert (stands.token, stands.most, stands.terms) == (till.town.token, 20 * 10**9, ("once",))
        assert stands.until is not None
        assert stands.until > now()
        if not till.ledger.chain_calls.of(order.id):
            mint_alone(till, desk, order)
    assert standing(desk, PrivateKey.generate().address) == []

    run(desk)
    assert standing(desk, holder.address) == []
    assert balance(till, order.account) == 20 * 10**9
    assert list(Signatures().of(Parts(None), holder.address)) == []  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("planned", [False, True])
def test_a_deposits_signature_that_was_taken_back_is_sent_by_nobody_here(till: Till, desk: OrderDesk, planned: bool):
    holder, other = PrivateKey.generate(), PrivateKey.generate()
    order = bank_order(till, desk, holder, valid_for=120)
    if planned:
        mint_alone(till, desk, order)
    (stands,) = standing(desk, holder.address)
    revoke(desk, other.address, stands)
    assert standing(desk, holder.address) == [stands]

    revoke(desk, holder.address, stands)

    assert standing(desk, holder.address) == []
    run(desk)
    send_calls(desk, later())
    assert balance(till, order.account) == 0
    assert till.town.chain.token(till.town.token).balance_of(holder.address) == parse_credits("20")
    kinds = [call.kind for call in till.ledger.chain_calls.of(order.id)]
    assert kinds == ([CallKind.MINT, CallKind.DEPOSIT] if planned else [CallKind.MINT])
    till.town.advance(130)
    send_calls(desk, later(600))
    assert till.ledger.chain_calls.open() == []


def test_signatures_of_refunds_and_top_ups_stand_too(till: Till, desk: OrderDesk):
    payer, asked = signed_top_up(till)
    top_up = place_order(desk, asked, now())
    (paying,) = standing(desk, payer.address)
    assert (paying.id, paying.most, paying.token) == (f"signature:top_up:{top_up.id}", None, till.town.token)
    revoke(desk, payer.address, paying)
    run(desk)
    assert till.ledger.orders.order(top_up.id).payment is None

    holder = PrivateKey.generate()
    order = bank_order(till, desk, holder)
    run(desk)
    lot_of(till, order)
    till.ledger.commit([SealRows(1_000, now())])
    refund = all_back(till, desk, order, holder)
    (back,) = standing(desk, holder.address)
    assert (back.id, back.most) == (f"signature:collect:{refund.id}", 20 * 10**9)
    revoke(desk, holder.address, back)
    for hours in range(1, 4):
        send_calls(desk, later(60 * hours))
        till.sync()
    assert till.town.chain.token(till.town.token).balance_of(holder.address) == parse_credits("20")
