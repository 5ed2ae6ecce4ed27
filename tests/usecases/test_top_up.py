"""Dollars become credits in escrow by one signature of a holder who has no gas."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.chain.code_wallets import ACCEPTS, deploy_code
from tests.usecases.town import PROVIDER, Till, Town

from mintery.chain.rpc import Call
from mintery.chain.terms import Terms
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.authorizations import mint_nonce
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountKey, Address, Kind
from mintery.errors import OwnTransactionNeeded, SignerNeeded, TransactionReverted
from mintery.units import (
    MAX_PAR,
    MIN_PAR,
    UNITS_PER_NANO,
    AssetUnits,
    BasisPoints,
    CreditUnits,
    Par,
    UnixSeconds,
    assets_up,
    credit_units,
    nanocredits_of_assets_down,
    parse_assets,
    parse_credits,
)
from mintery.usecases.offer_top_up import TopUpOffer, TopUpWay, offer_top_up
from mintery.usecases.open_project import open_project
from mintery.usecases.relay import Relay
from mintery.usecases.top_up import SignedTopUp, relay_top_up, sign_top_up


def project(town: Town, par: int, *, public_mint: bool = True) -> Address:
    terms = Terms(
        name="Project Y AI Credits",
        symbol="PROJECTY_AI_CREDITS",
        par=Par(par),
        markup=BasisPoints(0),
        fee_recipient=town.issuer.address,
        public_mint=public_mint,
        kind=Kind.ROUTED,
        providers=(PROVIDER,),
        allowlist=False,
        mint_cap=parse_credits("1000000"),
        payout_cap=parse_assets("1000000"),
    )
    return open_project(town.chain, town.issuer, terms).token


def holder_with(town: Town, dollars: str) -> PrivateKey:
    """A new key with test dollars and no ether."""
    holder = PrivateKey.generate()
    assert isinstance(town.chain.asset, TestDollar)
    town.chain.asset.mint(town.admin, holder.address, parse_assets(dollars))
    return holder


def signed_by(till: Till, holder: PrivateKey, token: Address, dollars: str) -> SignedTopUp:
    key = AccountKey(token, till.gateway, holder.address, PrivateKey.generate().address)
    return sign_top_up(till.town.chain, holder, key, parse_assets(dollars))


def test_a_relayer_brings_dollars_into_the_account_and_the_ledger_sees_a_deposit(till: Till):
    chain, town = till.town.chain, till.town
    holder = holder_with(town, "20")
    signed = signed_by(till, holder, town.token, "12.5")

    done = relay_top_up(chain, town.admin, signed)
    till.sync()

    assert (done.assets, done.credits, done.remainder) == (12_500_000, parse_credits("12.5"), 0)
    assert chain.rpc.balance(holder.address) == 0
    assert chain.asset.balance_of(holder.address) == parse_assets("7.5")
    account = till.ledger.account(account_id(signed.key))
    assert account is not None
    assert account.available == 12_500_000_000


def test_what_is_less_than_a_nanocredit_goes_to_the_wallet(till: Till):
    chain, token = till.town.chain, project(till.town, 3_000_000)
    holder = holder_with(till.town, "1")

    done = relay_top_up(chain, till.town.admin, signed_by(till, holder, token, "1"))

    assert done.credits == 333_333_333 * UNITS_PER_NANO
    assert done.remainder == 333_333_333
    assert chain.token(token).balance_of(holder.address) == done.remainder
    assert chain.vault.project_of(token).reserve == 1_000_000


def test_a_relayer_can_change_nothing_of_it_and_use_it_once(till: Till):
    chain, relayer = till.town.chain, till.town.admin
    holder = holder_with(till.town, "20")
    signed = signed_by(till, holder, till.town.token, "10")

    for changed in (
        replace(signed, key=replace(signed.key, signer=relayer.address)),
        replace(signed, key=replace(signed.key, gateway=relayer.address)),
        replace(signed, min_credits=CreditUnits(0)),
        replace(signed, salt=bytes(32)),
        replace(signed, authorization=replace(signed.authorization, amount=20_000_000)),
    ):
        with pytest.raises(TransactionReverted) as refused:
            relay_top_up(chain, relayer, changed)
        assert refused.value.error == "InvalidAuthorizationSignature"
    relay_top_up(chain, relayer, signed)
    with pytest.raises(TransactionReverted) as again:
        relay_top_up(chain, relayer, signed)

    assert again.value.error == "AuthorizationAlreadyUsed"
    assert chain.asset.balance_of(holder.address) == parse_assets("10")


def test_where_mint_is_not_public_only_the_issuer_tops_up(till: Till):
    token = project(till.town, 1_000_000, public_mint=False)
    holder = holder_with(till.town, "20")

    with pytest.raises(TransactionReverted) as refused:
        relay_top_up(till.town.chain, till.town.admin, signed_by(till, holder, token, "10"))

    assert refused.value.error == "MintNotPublic"


def test_a_mint_by_one_signature_goes_where_the_payer_signed_for(till: Till):
    chain, token = till.town.chain, till.town.token
    holder, friend = holder_with(till.town, "20"), PrivateKey.generate().address
    salt, credits_ = bytes(32), parse_credits("20")
    signed = chain.asset.sign_authorization(
        holder,
        chain.vault.address,
        parse_assets("20"),
        nonce=mint_nonce(token, holder.address, friend, min_credit_base_units=credits_, salt=salt),
        valid_before=UnixSeconds(2**40),
        receive=True,
    )

    with pytest.raises(TransactionReverted) as redirected:
        chain.vault.mint_with_authorization(
            till.town.admin, token, salt, signed, min_credits=credits_, to=till.town.admin.address
        )
    chain.vault.mint_with_authorization(till.town.admin, token, salt, signed, min_credits=credits_, to=friend)

    assert redirected.value.error == "InvalidAuthorizationSignature"
    assert chain.token(token).balance_of(friend) == credits_


@given(assets=st.integers(1, 2**60).map(AssetUnits), par=st.integers(MIN_PAR, MAX_PAR).map(Par))
def test_every_payment_is_at_least_a_nanocredit_and_never_more_than_it_pays_for(assets: AssetUnits, par: Par):
    nanos = nanocredits_of_assets_down(assets, par)

    assert nanos >= 1
    assert assets_up(credit_units(nanos), par) <= assets


def test_what_a_contract_wallet_is_told_to_send_buys_and_deposits(till: Till):
    """It has no key that could sign either; any sender's transactions do the same."""
    chain, sender = till.town.chain, till.town.issuer
    wallet = deploy_code(sender, ACCEPTS)
    signer = PrivateKey.generate().address
    assets, bought = parse_assets("20"), parse_credits("20")

    with pytest.raises(OwnTransactionNeeded) as to_buy:
        offered(till, TopUpWay.DOLLARS, wallet, signer)
    with pytest.raises(OwnTransactionNeeded) as to_deposit:
        offered(till, TopUpWay.DEPOSIT, wallet, signer)
    with pytest.raises(SignerNeeded):
        offered(till, TopUpWay.DEPOSIT, wallet, wallet)

    before = chain.token(till.town.token).balance_of(wallet)
    for told in (to_buy, to_deposit):
        for call in told.value.calls:
            sender.send(Call(call["call"], Address(call["to"]), bytes.fromhex(call["data"][2:])))
    assert chain.token(till.town.token).balance_of(wallet) - before == bought
    key = AccountKey(till.town.token, till.identity.address, sender.address, signer)
    assert chain.escrow.account_of(key).balance == bought
    assert f"approve({chain.vault.address}, {assets})" in str(to_buy.value)


def offered(till: Till, way: TopUpWay, holder: Address, signer: Address) -> TopUpOffer:
    relay = Relay(till.town.chain, None)
    return offer_top_up(
        relay,
        till.identity.address,
        way=way,
        holder=holder,
        token=till.town.token,
        assets=parse_assets("20"),
        signer=signer,
    )
