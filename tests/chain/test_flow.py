"""The way the money flows, in exact figures."""

from dataclasses import replace
from typing import Any

import pytest

from mintery.chain.blocks import read_blocks
from mintery.chain.credit_token import CreditToken
from mintery.chain.deployment import load_deployment
from mintery.chain.events import (
    BatchSettled,
    Deposited,
    ExitExecuted,
    ExitStarted,
    Minted,
    PriceInForce,
    PriceQueued,
    ProjectOpened,
    ProviderCredited,
    ProviderWithdrawn,
    Redeemed,
    Released,
    Settled,
    SettlerAppointed,
    events_of,
)
from mintery.chain.market import read_market
from mintery.chain.rpc import Call
from mintery.chain.sender import Sender
from mintery.chain.terms import Terms
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.authorizations import deposit_nonce
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id, key_hash, sign_voucher
from mintery.domain.batch import Batch, LineOutcome, LineStatus, SettlementLine, TokenBatch, UsageEntry
from mintery.domain.price import FreshnessLimits, PriceState, Sku
from mintery.domain.voucher import AccountKey, Kind, SignedVoucher, Voucher
from mintery.errors import TransactionReverted, UnknownProvider, UnknownSku
from mintery.units import (
    AssetUnits,
    BasisPoints,
    CreditUnits,
    NanoCredits,
    Par,
    UnixSeconds,
    UsdWad,
    Wei,
    credit_units,
    nanocredits_up,
    parse_assets,
    parse_credits,
)

PAR = Par(1_000_000)
MARKUP = BasisPoints(500)
PRICE = UsdWad(2 * 10**15)
SKU = "acme/sdxl:image"


def terms_of(world: Any) -> Terms:
    return Terms(
        name="Project X AI Credits",
        symbol="PROJECTX_AI_CREDITS",
        par=PAR,
        markup=MARKUP,
        fee_recipient=world.issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=(1,),
        allowlist=False,
        mint_cap=parse_credits("1000000"),
        payout_cap=parse_assets("1000000"),
    )


def open_project(world: Any) -> CreditToken:
    receipt = world.contracts.vault.open_project(world.issuer, terms_of(world))
    (opened,) = events_of(receipt.logs, world.contracts.vault.address, ProjectOpened)
    return world.contracts.token(opened.token)


def mint(world: Any, payer: Sender, token: CreditToken, credits_: str) -> None:
    asset, vault = world.contracts.asset, world.contracts.vault
    assert isinstance(asset, TestDollar)
    price = vault.preview_mint(token.address, parse_credits(credits_))
    asset.mint(payer, payer.address, price)
    asset.approve(payer, vault.address, price)
    vault.mint(payer, token.address, parse_credits(credits_), max_assets=price, to=payer.address)


def holder_of(world: Any) -> Sender:
    """The holder with ether for its own transactions."""
    world.admin.send(Call("pay", world.holder.address, b"", value=Wei(10**18)))
    return Sender(world.rpc, world.holder)


def voucher_of(world: Any, key: AccountKey, signer: PrivateKey, credits_: str, epoch: int = 0) -> SignedVoucher:
    voucher = Voucher(
        token=key.token,
        gateway=key.gateway,
        holder=key.holder,
        epoch=epoch,
        max_spend=parse_credits(credits_),
        deadline=UnixSeconds(world.rpc.block().timestamp + 86_400),
        key_hash=key_hash(b"s" * 32),
    )
    return sign_voucher(voucher, world.contracts.escrow.domain, signer)


def batch_of(world: Any, token: CreditToken, lines: list[SettlementLine], images: int, *, requests: int = 1) -> Batch:
    sku = world.contracts.oracle.sku_of(SKU)
    version, _ = world.contracts.oracle.current_price(sku)
    part = TokenBatch(token.address, requests, tuple(lines), (UsageEntry(1, sku, version, images),))
    next_id = world.contracts.escrow.next_batch_id(world.gateway.address)
    return Batch(world.gateway.address, next_id, b"\x07" * 32, (part,))


@pytest.fixture
def token(world: Any) -> CreditToken:
    return open_project(world)


def test_from_reserve_to_provider_in_exact_figures(world: Any, token: CreditToken):
    vault, escrow, asset = world.contracts.vault, world.contracts.escrow, world.contracts.asset
    mint(world, world.issuer, token, "100")
    assert vault.project_of(token.address).reserve == parse_assets("100")

    holder = holder_of(world)
    token.transfer(world.issuer, holder.address, parse_credits("40"))
    key = AccountKey(token.address, world.gateway.address, holder.address, holder.address)
    token.approve(holder, escrow.address, parse_credits("10"))
    escrow.deposit(holder, key, parse_credits("10"))

    # 1500 images at 0.002 USD with 5 % markup are 3.15 credits of 1 USD.
    burned = credit_units(nanocredits_up(UsdWad(1500 * PRICE), PAR, MARKUP))
    assert burned == parse_credits("3.15")
    line = SettlementLine(voucher_of(world, key, world.holder, "5"), burned)
    receipt = escrow.settle(world.settler, batch_of(world, token, [line], 1500))

    assert list(events_of(receipt.logs, escrow.address, BatchSettled)) == [
        BatchSettled(
            world.gateway.address,
            1,
            b"\x07" * 32,
            (LineOutcome(LineStatus.SETTLED, NanoCredits(3_150_000_000)),),
        )
    ]
    paid, kept = parse_assets("3"), parse_assets("0.15")
    assert list(events_of(receipt.logs, vault.address, Settled)) == [
        Settled(token.address, world.gateway.address, 1, burned, parse_assets("3.15"), paid, kept)
    ]
    assert list(events_of(receipt.logs, vault.address, ProviderCredited)) == [
        ProviderCredited(1, token.address, 1, paid, AssetUnits(0))
    ]
    project, account = vault.project_of(token.address), escrow.account_of(key)
    assert (project.reserve, project.margin) == (parse_assets("96.85"), kept)
    assert (account.balance, account.spent, account.epoch) == (parse_credits("6.85"), burned, 0)
    assert token.total_supply() == parse_credits("96.85")
    assert escrow.total_balance(token.address) == token.balance_of(escrow.address) == parse_credits("6.85")
    assert vault.owed_to(1) == paid

    withdrawn = vault.withdraw_owed(world.provider, 1, min_assets=paid)
    assert list(events_of(withdrawn.logs, vault.address, ProviderWithdrawn)) == [
        ProviderWithdrawn(1, world.provider.address, paid, paid)
    ]
    assert asset.balance_of(world.provider.address) >= paid
    vault.withdraw_margin(world.issuer, token.address, min_assets=kept)
    vault.redeem(holder, token.address, parse_credits("30"), min_assets=parse_assets("30"), receiver=holder.address)
    assert asset.balance_of(holder.address) == parse_assets("30")
    project = vault.project_of(token.address)
    assert (project.reserve, project.margin) == (parse_assets("66.85"), 0)
    assert token.total_supply() == parse_credits("66.85")
    assert asset.balance_of(vault.address) == vault.total_claims()


def test_a_bad_line_is_skipped_and_reverts_nothing_else(world: Any, token: CreditToken):
    escrow = world.contracts.escrow
    mint(world, world.issuer, token, "50")
    holder = holder_of(world)
    token.transfer(world.issuer, holder.address, parse_credits("50"))
    token.approve(holder, escrow.address, parse_credits("50"))
    signers = [PrivateKey.generate() for _ in range(5)]
    keys = [AccountKey(token.address, world.gateway.address, holder.address, s.address) for s in signers]
    for key in keys[:4]:
        escrow.deposit(holder, key, parse_credits("2"))
    good, forged, over, partial, empty = (
        voucher_of(world, key, signer, "5") for key, signer in zip(keys, signers, strict=True)
    )
    lines = [
        SettlementLine(good, parse_credits("1")),
        SettlementLine(replace(forged, r=bytes(32)), parse_credits("1")),
        SettlementLine(over, parse_credits("6")),
        SettlementLine(partial, parse_credits("3")),
        SettlementLine(empty, parse_credits("1")),
    ]

    # 2000 images with markup cover 4.2 credits.
    receipt = escrow.settle(world.settler, batch_of(world, token, lines, 2000))

    (settled,) = events_of(receipt.logs, escrow.address, BatchSettled)
    assert [(outcome.status, outcome.burned) for outcome in settled.outcomes] == [
        (LineStatus.SETTLED, 10**9),
        (LineStatus.BAD_SIGNATURE, 0),
        (LineStatus.ABOVE_VOUCHER, 0),
        (LineStatus.PARTIAL, 2 * 10**9),
        (LineStatus.EMPTY, 0),
    ]


def test_refusals_carry_the_contracts_error_and_arguments(world: Any, token: CreditToken):
    vault, escrow = world.contracts.vault, world.contracts.escrow
    mint(world, world.issuer, token, "10")
    stranger = world.provider
    key = AccountKey(token.address, world.gateway.address, world.issuer.address, world.issuer.address)
    token.approve(world.issuer, escrow.address, parse_credits("10"))
    escrow.deposit(world.issuer, key, parse_credits("10"))
    batch = batch_of(world, token, [SettlementLine(voucher_of(world, key, world.holder, "5"), CreditUnits(1))], 1)

    with pytest.raises(TransactionReverted) as not_settler:
        escrow.settle(stranger, batch)
    with pytest.raises(TransactionReverted) as wrong_id:
        escrow.settle(world.settler, replace(batch, batch_id=7))
    with pytest.raises(TransactionReverted) as unknown:
        vault.project_of(stranger.address)
    with pytest.raises(TransactionReverted) as no_exit:
        escrow.execute_exit(stranger, key)

    assert (not_settler.value.error, not_settler.value.arguments) == (
        "NotSettler",
        {"caller": stranger.address, "gateway": world.gateway.address},
    )
    assert (wrong_id.value.error, wrong_id.value.arguments) == (
        "WrongBatchId",
        {"actual": 7, "expected": batch.batch_id},
    )
    assert (unknown.value.error, unknown.value.arguments) == ("UnknownProject", {"token": stranger.address})
    assert no_exit.value.arguments == {"account": account_id(key)}


def test_deposits_by_permit_and_by_authorization(world: Any, token: CreditToken):
    escrow = world.contracts.escrow
    mint(world, world.issuer, token, "10")
    token.transfer(world.issuer, world.holder.address, parse_credits("10"))
    key = AccountKey(token.address, world.gateway.address, world.holder.address, world.holder.address)
    soon = UnixSeconds(world.rpc.block().timestamp + 600)

    holder = holder_of(world)
    permit = token.sign_permit(world.holder, escrow.address, parse_credits("4"), deadline=soon)
    escrow.deposit_with_permit(holder, key, parse_credits("4"), deadline=soon, permit=permit)
    salt = b"\x05" * 32
    signed = token.sign_authorization(
        world.holder,
        escrow.address,
        parse_credits("6"),
        nonce=deposit_nonce(key, parse_credits("6"), salt),
        valid_before=soon,
        receive=True,
    )
    receipt = escrow.deposit_with_authorization(world.provider, key, salt, signed)

    assert escrow.account_of(key).balance == parse_credits("10")
    assert list(events_of(receipt.logs, escrow.address, Deposited)) == [
        Deposited(account_id(key), token.address, key.gateway, key.holder, key.signer, parse_credits("6"))
    ]
    assert token.authorization_used(world.holder.address, signed.nonce)


def test_a_signed_transfer_needs_no_gas_of_its_owner(world: Any, token: CreditToken):
    mint(world, world.issuer, token, "1")
    token.transfer(world.issuer, world.holder.address, parse_credits("1"))
    to = PrivateKey.generate().address
    signed = token.sign_authorization(
        world.holder, to, parse_credits("0.25"), nonce=b"\x01" * 32, valid_before=UnixSeconds(2**40)
    )

    token.transfer_authorized(world.provider, signed)

    assert world.rpc.balance(world.holder.address) == 0
    assert token.balance_of(to) == parse_credits("0.25")
    with pytest.raises(TransactionReverted, match="AuthorizationAlreadyUsed"):
        token.transfer_authorized(world.provider, signed)


def test_an_exit_waits_and_a_close_ends_the_epoch(world: Any, token: CreditToken):
    escrow = world.contracts.escrow
    mint(world, world.issuer, token, "10")
    holder = world.issuer
    key = AccountKey(token.address, world.gateway.address, holder.address, holder.address)
    token.approve(holder, escrow.address, parse_credits("10"))
    escrow.deposit(holder, key, parse_credits("10"))

    started = escrow.start_exit(holder, key, parse_credits("4"))
    (start,) = events_of(started.logs, escrow.address, ExitStarted)
    assert start.unlock == world.rpc.block(started.block).timestamp + escrow.exit_delay()
    account = escrow.account_of(key)
    assert (account.exit_amount, account.exit_unlock, account.closing) == (parse_credits("4"), start.unlock, False)
    with pytest.raises(TransactionReverted, match="ExitLocked"):
        escrow.execute_exit(world.provider, key)

    world.advance(escrow.exit_delay())
    executed = escrow.execute_exit(world.provider, key)
    assert list(events_of(executed.logs, escrow.address, ExitExecuted)) == [
        ExitExecuted(account_id(key), holder.address, parse_credits("4"), 0)
    ]
    released = escrow.release(world.settler, key, parse_credits("1"))
    assert list(events_of(released.logs, escrow.address, Released)) == [
        Released(account_id(key), holder.address, parse_credits("1"))
    ]
    escrow.start_close(holder, key)
    world.advance(escrow.exit_delay())
    closed = escrow.execute_exit(holder, key)
    assert list(events_of(closed.logs, escrow.address, ExitExecuted)) == [
        ExitExecuted(account_id(key), holder.address, parse_credits("5"), 1)
    ]
    assert escrow.account_of(key).epoch == 1


def test_prices_wait_for_a_second_epoch_and_then_price_the_next(world: Any):
    oracle = world.contracts.oracle
    sku = oracle.sku_of(SKU)
    doubled = UsdWad(2 * oracle.current_price(sku)[1])
    version, in_force = oracle.current_price(sku)

    queued = world.report({sku: doubled})
    assert list(events_of(queued.logs, oracle.address, PriceQueued)) == [PriceQueued(sku, doubled, in_force)]
    waiting = oracle.queued_price_of(sku)
    assert waiting is not None
    assert waiting.usd == doubled
    world.advance(2)
    confirmed = world.report({sku: doubled})

    assert list(events_of(confirmed.logs, oracle.address, PriceInForce)) == [PriceInForce(sku, version + 1, doubled)]
    assert oracle.queued_price_of(sku) is None
    old = oracle.price_of(sku, version)
    assert old.superseded_at == world.rpc.block(confirmed.block).timestamp
    assert oracle.settlement_price(sku, version) == in_force
    refreshed = world.report({sku: doubled})
    assert oracle.current_price(sku) == (version + 1, doubled), "unchanged makes no version"
    assert oracle.refreshed_at(sku) == world.rpc.block(refreshed.block).timestamp


def test_the_market_is_read_at_one_block(world: Any, token: CreditToken):
    contracts = world.contracts
    at = world.rpc.block()
    sku = contracts.oracle.sku_of(SKU)
    version, usd = contracts.oracle.current_price(sku)
    world.report({sku: UsdWad(usd * 3)})

    market = read_market(contracts, world.gateway.address, [token.address], at)

    project = market.projects[token.address]
    assert (project.name, project.symbol) == ("Project X AI Credits", "PROJECTX_AI_CREDITS")
    assert (project.par, project.markup, project.kind) == (PAR, MARKUP, Kind.ROUTED)
    assert project.providers == {1}
    assert project.retired_at is None
    assert market.payouts[token.address].room == parse_assets("1000000")
    assert market.payouts[token.address].ends % 86_400 == 0
    assert 0 < market.payouts[token.address].ends - at.timestamp <= 86_400
    price = market.prices[Sku.parse(SKU)]
    assert (price.index, price.version, price.usd, price.queued) == (sku, version, usd, False)
    assert price.state_at(at.timestamp, FreshnessLimits()) is PriceState.NORMAL
    assert (market.block_hash, market.block_time) == (at.hash, at.timestamp)
    assert market.assets == contracts.asset.balance_of(contracts.vault.address)
    assert market.claims == contracts.vault.total_claims()
    assert (market.depegged, market.paused_until, market.inactive_providers) == (False, 0, frozenset())


def test_a_routed_provider_that_forbids_resale_takes_no_new_holds(world: Any):
    registry = world.contracts.registry

    def inactive() -> frozenset[int]:
        return read_market(world.contracts, world.gateway.address, [], world.rpc.block()).inactive_providers

    def forbidden() -> frozenset[int]:
        return read_market(world.contracts, world.gateway.address, [], world.rpc.block()).resale_forbidden

    registry.forbid_resale(world.admin, 1)
    assert inactive() == forbidden() == {1}
    registry.deactivate(world.admin, 1)
    assert (inactive(), forbidden()) == ({1}, frozenset()), "it is switched off, whatever it allows"
    registry.activate(world.admin, 1)
    registry.allow_resale(world.admin, 1)
    assert inactive() == frozenset()

    official = registry.register_call("official", world.provider.address, Kind.OFFICIAL, resale_allowed=False)
    world.admin.send(official)
    assert inactive() == frozenset(), "an official project sells nothing on"


def test_names_that_are_not_registered(world: Any):
    with pytest.raises(UnknownSku, match="acme/none:image"):
        world.contracts.oracle.sku_of("acme/none:image")
    with pytest.raises(UnknownProvider, match="nobody"):
        world.contracts.registry.id_of("nobody")
    assert world.contracts.registry.id_of("acme") == 1


def test_blocks_carry_typed_events_in_order(world: Any, token: CreditToken):
    deployment = load_deployment(world.path)
    first = world.rpc.block().number + 1
    mint(world, world.issuer, token, "2")
    world.contracts.vault.redeem(
        world.issuer, token.address, parse_credits("2"), min_assets=AssetUnits(0), receiver=world.issuer.address
    )
    last = world.rpc.block().number

    blocks = read_blocks(world.rpc, deployment, first, last)

    assert [block.number for block in blocks] == list(range(first, last + 1))
    assert blocks[0].parent == world.rpc.block(first - 1).hash
    assert [type(entry.event) for block in blocks for entry in block.events] == [Minted, Redeemed]
    everything = read_blocks(world.rpc, deployment, deployment.first_block, last)
    kinds = {type(entry.event) for block in everything for entry in block.events}
    assert kinds >= {SettlerAppointed, ProjectOpened, PriceQueued, PriceInForce, Minted, Redeemed}
    assert read_blocks(world.rpc, deployment, last + 1, last) == []


def test_only_the_guardian_tightens_and_the_admin_loosens(world: Any):
    registry, escrow = world.contracts.registry, world.contracts.escrow
    with pytest.raises(TransactionReverted, match="AccessManagedUnauthorized"):
        registry.deactivate(world.provider, 1)

    registry.deactivate(world.admin, 1)
    assert not registry.provider_of(1).active
    registry.activate(world.admin, 1)
    assert registry.provider_of(1).active
    with pytest.raises(TransactionReverted, match="AccessManagedUnauthorized"):
        escrow.pause_settlement(world.gateway, 60)
