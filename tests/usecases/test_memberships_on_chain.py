"""Months of a membership, settled: what the ledger charged is what the chain burned, and the gateway was paid for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.usecases.town import PRICES, PROVIDER, Till, Town, build_town, open_till

from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.crypto.vouchers import account_id, voucher_digest
from mintery.domain.membership import Offer, Offers, Period, Seller
from mintery.domain.rates import UNLIMITED
from mintery.domain.voucher import Kind
from mintery.units import UsdWad, assets_of_usd_down, credit_units, usd_of_nanocredits_down
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.hold_memberships import begin_membership, end_membership
from mintery.usecases.parts import GatewayParts
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.renew_memberships import Renewed, renew_memberships
from mintery.usecases.standings import Standings
from mintery.usecases.verify_credential import Credential

SKU = "acme/membership.pro:month"
MONTH = UsdWad(20_000_000_123_456_789_012)
ALL_PRICES = {**PRICES, SKU: MONTH}
DAY = 86_400


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with DevChain() as devchain:
        yield build_town(connect(devchain.provider()), tmp_path_factory.mktemp("town"), prices=ALL_PRICES)


@pytest.fixture
def till(town: Town, tmp_path: Path) -> Iterator[Till]:
    opened = open_till(town, new_ledger(tmp_path / "ledger.sqlite"))
    yield opened
    opened.ledger.close()


def chain_time(till: Till) -> datetime:
    return datetime.fromtimestamp(till.town.rpc.block().timestamp, UTC)


def selling(till: Till) -> GatewayParts:
    """A gateway that is registered as the provider ``acme``, at the chain's own time."""
    board = MarketBoard(till.town.chain, till.gateway, clock=lambda: chain_time(till), longest_age=60)
    offer = Offer("pro", frozenset({Period.MONTH}), UNLIMITED)
    return GatewayParts(
        ledger=till.ledger,
        market=board.refresh,
        channels=ChannelBoard({}),
        providers={},
        domain=till.town.chain.domain,
        gateway=till.gateway,
        settler=till.settler,
        exit_delay=3_600,
        settlement_interval=60,
        operator_key_hash=b"",
        clock=lambda: chain_time(till),
        standings=Standings(Offers((Seller("acme", PROVIDER, Kind.ROUTED),), {"pro": offer})),
    )


def test_what_months_charge_is_burned_and_paid_to_the_last_unit_and_nothing_after_the_end(till: Till):
    town = till.town
    member = till.open_account("100")
    signed = till.voucher(member.key, member.signer, "1000", valid=400 * DAY)
    till.sync()
    account, vault = account_id(member.key), town.chain.vault
    digest = voucher_digest(signed.voucher, town.chain.domain)
    credential = Credential(signed, account, signed, digest, None, b"c" * 32)
    parts = selling(till)
    supply, owed = town.chain.token(town.token).total_supply(), vault.owed_to(PROVIDER)

    first = begin_membership(parts, parts.market(), credential, "pro", None, only_of=signed.voucher.key_hash)
    [batch] = till.settle().batches
    town.advance(int((first.paid.ends_at - chain_time(till)).total_seconds()) + 60)
    town.put_in_force(ALL_PRICES)
    assert renew_memberships(parts, parts.clock()) == Renewed(1, 0, 0)
    assert renew_memberships(parts, parts.clock()) == Renewed(0, 0, 0)
    [renewal] = till.settle().batches

    [second, _] = till.ledger.memberships.months_of(account, "pro")
    costs = [till.ledger.receipt(month.request).receipt.cost for month in (first, second)]
    assert second.paid.starts_at == first.paid.ends_at
    assert costs[0] == costs[1]
    assert usd_of_nanocredits_down(costs[0], parts.market().projects[town.token].par) > MONTH
    assert [each.outcomes[0].burned for each in (batch, renewal)] == costs
    assert supply - town.chain.token(town.token).total_supply() == credit_units(sum(costs))
    assert vault.owed_to(PROVIDER) - owed == 2 * assets_of_usd_down(MONTH)
    assert till.reconciler.reconcile(chain_time(till)).differences == ()

    end_membership(parts, account, "pro", only_of=None)
    assert renew_memberships(parts, second.paid.ends_at + timedelta(days=1)) == Renewed(0, 0, 0)
    assert till.ledger.account(account).spent == sum(costs)
    till.ledger.check()
