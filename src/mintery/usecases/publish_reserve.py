"""The reserve as everyone may read it over HTTP: supply, what backs it, where it stands, and what prices have been."""

from collections.abc import Sequence
from typing import Any

from mintery.domain.reserve import ReserveObservation
from mintery.domain.voucher import Address
from mintery.ledger.reads import Ledger
from mintery.units import (
    ASSET_DECIMALS,
    ONE_IN_BPS,
    AssetUnits,
    CreditUnits,
    format_assets,
    format_credits,
    format_usd,
    pro_rata_down,
)
from mintery.usecases.parts import GatewayParts
from mintery.usecases.public_chain import PublicChain
from mintery.usecases.read_price_history import PriceHistory
from mintery.usecases.show_reserve import ReserveShown


def publish_reserve(parts: GatewayParts, chain: PublicChain) -> dict[str, Any]:
    """JSON values. Credits and dollars are decimal text, exact.

    Raises:
        NotAvailable, RpcUnavailable, RpcRefused
    """
    now = parts.clock()
    market, read_at = chain.market()
    return {
        "object": "reserve",
        "test": chain.is_test,
        "chain_id": chain.chain_id,
        "as_of": {
            "block": market.block_number,
            "block_hash": market.block_hash,
            "block_time": market.block_time,
            "age_seconds": max(0, int((now - read_at).total_seconds())),
        },
        "asset": {"address": chain.asset, "decimals": ASSET_DECIMALS},
        "vault": {
            "assets_usd": format_assets(market.assets),
            "claims_usd": format_assets(market.claims),
            "covered": market.assets >= market.claims,
        },
        "contracts": dict(chain.contracts),
        "gateway": parts.gateway,
        "settler": parts.settler.address,
        "projects": [project_json(shown) for shown in chain.reserves(now)],
        "reconciliation": reconciliation_of(parts.ledger),
        "skus": sorted(str(sku) for sku in market.prices),
    }


def project_json(shown: ReserveShown) -> dict[str, Any]:
    """``coverage_bps``: the reserve in hundredths of a percent of what the supply needs, down; None while there is no supply."""
    return {
        "token": shown.token,
        "name": shown.name,
        "symbol": shown.symbol,
        "kind": shown.kind.value,
        "issuer": shown.issuer,
        "usd_per_credit": format_assets(AssetUnits(shown.par)),
        "supply_credits": format_credits(shown.supply),
        "in_accounts_credits": format_credits(shown.escrowed),
        "in_wallets_credits": format_credits(CreditUnits(shown.supply - shown.escrowed)),
        "reserve_usd": format_assets(shown.reserve),
        "needed_usd": format_assets(shown.backing),
        "margin_usd": format_assets(shown.margin),
        "coverage_bps": pro_rata_down(shown.reserve, ONE_IN_BPS, shown.backing) if shown.backing else None,
        "retired_at": shown.retired_at or None,
        "block": shown.block,
    }


def reconciliation_of(ledger: Ledger) -> dict[str, Any] | None:
    """When chain and ledger were last compared, and in how many places they differed."""
    last = ledger.last_reconciliation()
    if last is None:
        return None
    return {"block": last.number, "at": last.at.isoformat(), "differences": len(ledger.differences())}


def reserve_history_json(token: Address, history: Sequence[ReserveObservation]) -> dict[str, Any]:
    """What the reserve was and what the supply needed, oldest first; noted when either changed, and once a day."""
    return {
        "object": "reserve_history",
        "token": token,
        "observations": [
            {
                "block": seen.block,
                "block_time": seen.block_time,
                "supply_credits": format_credits(seen.supply),
                "reserve_usd": format_assets(seen.reserve),
                "needed_usd": format_assets(seen.needed),
            }
            for seen in history
        ],
    }


def price_history_json(found: PriceHistory) -> dict[str, Any]:
    """Versions oldest first; ``since`` and ``until`` are unix seconds."""
    return {
        "object": "price_history",
        "sku": found.sku,
        "as_of": {"block": found.at.number, "block_time": found.at.timestamp},
        "versions": [
            {
                "version": number,
                "usd": format_usd(price.usd),
                "usd_wad": str(price.usd),
                "since": price.since,
                "superseded_at": price.superseded_at or None,
            }
            for number, price in found.versions
        ],
        "refreshed_at": found.refreshed_at or None,
        "queued_usd": None if found.queued is None else format_usd(found.queued.usd),
    }


def deployment_json(chain: PublicChain) -> dict[str, Any]:
    """What every page asks first: whether this is play money, and on which chain it is."""
    return {"object": "deployment", "test": chain.is_test, "chain_id": chain.chain_id}
