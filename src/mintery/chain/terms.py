"""What a project is opened with, as the vault takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mintery.domain.voucher import Address, Kind
from mintery.units import AssetUnits, BasisPoints, CreditUnits, Par

_KINDS = (Kind.OFFICIAL, Kind.ROUTED)


def kind_number(kind: Kind) -> int:
    """Its position in Solidity's enum."""
    return _KINDS.index(kind)


def kind_of(number: int) -> Kind:
    return _KINDS[number]


@dataclass(frozen=True, slots=True)
class Terms:
    """``IReserveVault.Terms``.

    Attributes:
        par: asset base units per whole credit, 1e3 to 1e9.
        markup: multiplier over provider cost; an official project's is 0.
        providers: registry ids whose usage may be settled.
        mint_cap: credits that the supply may grow in each UTC day.
        payout_cap: assets that one gateway's batches may take in each UTC day.
    """

    name: str
    symbol: str
    par: Par
    markup: BasisPoints
    fee_recipient: Address
    public_mint: bool
    kind: Kind
    providers: tuple[int, ...]
    allowlist: bool
    mint_cap: CreditUnits
    payout_cap: AssetUnits

    def as_tuple(self) -> tuple[Any, ...]:
        """The struct's members in Solidity's order."""
        return (
            self.name,
            self.symbol,
            self.par,
            self.markup,
            self.fee_recipient,
            self.public_mint,
            kind_number(self.kind),
            self.providers,
            self.allowlist,
            self.mint_cap,
            self.payout_cap,
        )

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Terms":
        return cls(
            name=fields["name"],
            symbol=fields["symbol"],
            par=Par(fields["par"]),
            markup=BasisPoints(fields["markupBps"]),
            fee_recipient=fields["feeRecipient"],
            public_mint=fields["publicMint"],
            kind=kind_of(fields["kind"]),
            providers=tuple(fields["providers"]),
            allowlist=fields["allowlist"],
            mint_cap=CreditUnits(fields["mintCap"]),
            payout_cap=AssetUnits(fields["payoutCap"]),
        )
