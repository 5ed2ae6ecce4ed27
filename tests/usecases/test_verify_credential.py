"""Who asks is found out once; that it may ask is found out each time."""

from dataclasses import replace

import pytest
from tests.gateway.rig import TOKEN, key_text, private_key, raised_text
from tests.usecases.test_pay_for_request import Shop

from mintery.errors import CredentialRefused, VoucherMismatch, WrongToken
from mintery.usecases.known_credentials import KnownCredentials
from mintery.usecases.verify_credential import verify_credential


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_key_seen_before_opens_the_same_account_without_being_recovered_again(shop: Shop):
    first = verify_credential(shop.till.parts, shop.market, key_text(deadline=2_000_000_000), None)

    assert verify_credential(shop.till.parts, shop.market, key_text(deadline=2_000_000_000), None) is first


def test_a_key_seen_before_is_refused_once_its_project_is_gone(shop: Shop):
    verify_credential(shop.till.parts, shop.market, key_text(), None)
    others = {token: project for token, project in shop.market.projects.items() if token != TOKEN}

    with pytest.raises(WrongToken):
        verify_credential(shop.till.parts, replace(shop.market, projects=others), key_text(), None)


@pytest.mark.parametrize("position", [-1, 200, 60])
def test_a_key_that_differs_by_a_letter_is_another_one(shop: Shop, position: int):
    text = key_text()
    verify_credential(shop.till.parts, shop.market, text, None)
    changed = list(text)
    changed[position] = "B" if changed[position] != "B" else "C"

    with pytest.raises(CredentialRefused):
        verify_credential(shop.till.parts, shop.market, "".join(changed), None)


def test_a_key_with_a_raised_voucher_is_known_apart_from_the_key_alone(shop: Shop):
    key, raised = key_text(credits_=1), raised_text(credits_=2)

    with_raised = verify_credential(shop.till.parts, shop.market, key, raised)
    alone = verify_credential(shop.till.parts, shop.market, key, None)

    assert (with_raised.raised, alone.raised) == (with_raised.digest, None)
    assert verify_credential(shop.till.parts, shop.market, key, raised) is with_raised


def test_a_raised_voucher_of_another_account_is_refused_beside_a_known_key(shop: Shop):
    verify_credential(shop.till.parts, shop.market, key_text(), None)

    with pytest.raises(VoucherMismatch):
        verify_credential(shop.till.parts, shop.market, key_text(), raised_text(signer=private_key(9)))


def test_the_newest_are_known(shop: Shop):
    known = KnownCredentials(2)
    credential = verify_credential(shop.till.parts, shop.market, key_text(), None)
    for digest in (b"1", b"2", b"3"):
        known.keep(digest, credential)

    assert [known.find(digest) for digest in (b"1", b"2", b"3")] == [None, credential, credential]
