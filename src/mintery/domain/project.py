"""What the gateway knows of a project, read from the vault."""

from dataclasses import dataclass

from mintery.domain.voucher import Address, Kind
from mintery.units import BasisPoints, Par, UnixSeconds


@dataclass(frozen=True, slots=True)
class Project:
    """The terms of one credit token.

    Attributes:
        par: asset base units per whole credit.
        markup: multiplier over provider cost; an official project's is 0.
        providers: registry ids whose usage may be settled.
        retired_at: None while it mints and takes deposits.
    """

    token: Address
    name: str
    symbol: str
    issuer: Address
    par: Par
    markup: BasisPoints
    kind: Kind
    providers: frozenset[int]
    retired_at: UnixSeconds | None = None
