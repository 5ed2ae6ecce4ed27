"""What all steps of the demo share: what they hand on, and how they refuse to go on from a wrong figure."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mintery.cli.demo.figures import Figure
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import ReconciliationFailed
from mintery.units import AssetUnits, CreditUnits

if TYPE_CHECKING:
    from mintery.bootstrap import LocalStack
    from mintery.crypto.keys import PrivateKey
    from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. ``facts`` are JSON values, ``told`` the same in words; ``seconds`` is how long it took."""

    name: str
    told: str
    facts: dict[str, Any]
    seconds: float


@dataclass
class Demo:
    """What the steps hand on. Every field is set by the step that finds it.

    Attributes:
        issuer: opens the project and mints. ``friend`` is sent credits and spends them.
        api_key: the voucher as a key; never printed.
        request_ids: of the paid calls, in order.
    """

    scope: ExitStack
    stack: "LocalStack" = field(init=False)
    issuer: "PrivateKey" = field(init=False, repr=False)
    friend: "PrivateKey" = field(init=False, repr=False)
    token: Address = field(init=False)
    account: AccountKey = field(init=False)
    api_key: str = field(init=False, repr=False)
    locked: AssetUnits = field(init=False)
    payout_before: AssetUnits = field(init=False)
    request_ids: list[str] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    figures: tuple[Figure, ...] = ()

    @property
    def chain(self) -> "OnChain":
        return self.stack.chain

    @property
    def base_url(self) -> str:
        return f"{self.stack.gateway_url}/v1"

    @property
    def wallets(self) -> tuple[Address, Address]:
        return self.issuer.address, self.friend.address

    def balance(self, wallet: Address) -> CreditUnits:
        return self.chain.token(self.token).balance_of(wallet)


Outcome = tuple[str, dict[str, Any]]
"""A line of words for people, and the facts as JSON values."""
Act = Callable[[Demo], Outcome]


def equal(what: str, actual: int, expected: int) -> None:
    """Raises ReconciliationFailed unless both are the same number."""
    if actual != expected:
        raise ReconciliationFailed([(what, actual, expected)])
