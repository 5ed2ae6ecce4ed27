"""The last table of the demo: each figure as the chain says it, beside what the receipts and the ledger make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mintery.cli.money import assets_text, credits_text
from mintery.domain.quote import total_cost
from mintery.errors import ReconciliationFailed
from mintery.units import (
    AssetUnits,
    CreditUnits,
    NanoCredits,
    UsdWad,
    assets_down,
    assets_of_usd_down,
    assets_up,
    credit_units,
)

if TYPE_CHECKING:
    from mintery.chain.rpc import BlockRef
    from mintery.domain.receipt import Receipt
    from mintery.domain.voucher import Address
    from mintery.ledger.reads import Ledger
    from mintery.usecases.onchain import OnChain


class Unit(StrEnum):
    CREDITS = "credits"
    ASSETS = "assets"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: base units of credit or asset, from two independent sides.

    Attributes:
        chain: what the chain says.
        books: what the receipts, the ledger or the steps before make of it; ``source`` says which.
    """

    name: str
    unit: Unit
    chain: int
    books: int
    source: str

    @property
    def agrees(self) -> bool:
        return self.chain == self.books

    def text(self, amount: int, symbol: str) -> str:
        if self.unit is Unit.CREDITS:
            return credits_text(CreditUnits(amount), symbol)
        return assets_text(AssetUnits(amount))


@dataclass(frozen=True, slots=True)
class Told:
    """What the steps before were told, to hold the chain to. Base units."""

    token: "Address"
    wallets: Sequence["Address"]
    provider_id: int
    payout: "Address"
    minted: CreditUnits
    locked: AssetUnits
    payout_before: AssetUnits
    receipts: Sequence["Receipt"]


def read_figures(chain: "OnChain", ledger: "Ledger", told: Told, at: "BlockRef") -> tuple[Figure, ...]:
    """Everything at one block, after the settlement and the provider's withdrawal."""
    project = chain.vault.project_of(told.token, at=at)
    token = chain.token(told.token)
    supply = token.total_supply(at=at)
    wallets = sum(token.balance_of(wallet, at=at) for wallet in told.wallets)
    escrow = chain.escrow.total_balance(told.token, at=at)
    vault = chain.asset.balance_of(chain.vault.address, at=at)
    owed = chain.vault.owed_to(told.provider_id, at=at)
    paid = chain.asset.balance_of(told.payout, at=at) - told.payout_before
    totals = next(total for total in ledger.totals() if total.token == told.token)

    charged = credit_units(NanoCredits(sum(receipt.cost for receipt in told.receipts)))
    earned = assets_of_usd_down(sum_usd(told.receipts))
    backing = assets_down(charged, project.par)
    held = credit_units(NanoCredits(totals.available + totals.held + totals.captured))
    return (
        Figure("supply", Unit.CREDITS, supply, told.minted - charged, "minted less receipts"),
        Figure("in wallets and escrow", Unit.CREDITS, wallets + escrow, supply, "supply"),
        Figure("escrow", Unit.CREDITS, escrow, held, "ledger: balances"),
        Figure("burned", Unit.CREDITS, told.minted - supply, credit_units(totals.burned), "ledger: burned"),
        Figure("charged", Unit.CREDITS, charged, credit_units(totals.receipts), "ledger: receipts"),
        Figure("reserve", Unit.ASSETS, project.reserve, told.locked - backing, "locked less burned at par"),
        Figure("backing needed", Unit.ASSETS, project.reserve, assets_up(supply, project.par), "supply at par"),
        Figure("paid to the provider", Unit.ASSETS, paid, earned, "receipts at provider cost"),
        Figure("still owed", Unit.ASSETS, owed, 0, "all withdrawn"),
        Figure("margin", Unit.ASSETS, project.margin, backing - earned, "burned at par less paid"),
        Figure("in the vault", Unit.ASSETS, vault, project.reserve + project.margin + owed, "reserve, margin, owed"),
    )


def sum_usd(receipts: Sequence["Receipt"]) -> UsdWad:
    return total_cost(line for receipt in receipts for line in receipt.lines)


def check_figures(figures: Sequence[Figure]) -> None:
    """Raises ReconciliationFailed when any two sides differ."""
    differences = [(figure.name, figure.chain, figure.books) for figure in figures if not figure.agrees]
    if differences:
        raise ReconciliationFailed(differences)
