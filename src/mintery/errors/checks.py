"""Something that was checked does not hold."""

from collections.abc import Sequence

from mintery.errors.base import MinteryError


class CheckFailed(MinteryError):
    """Something was checked and is not as it claims."""


class TokenListRefused(CheckFailed):
    """The list is not what was signed, or not by whom it should be."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the token list is not to be trusted: {why}")
        self.why = why


class ReceiptRefused(CheckFailed):
    def __init__(self, why: str) -> None:
        super().__init__(f"the receipt does not hold: {why}")
        self.why = why


class ReconciliationFailed(CheckFailed):
    """``differences`` are lines of (what, chain, ledger): all of them, of which the message names the first."""

    _NAMED = 5

    def __init__(self, differences: Sequence[tuple[str, int, int]]) -> None:
        named = differences[: self._NAMED]
        listed = "; ".join(f"{what}: chain {chain}, ledger {ledger}" for what, chain, ledger in named)
        more = f"; and {len(differences) - len(named)} more" if len(differences) > len(named) else ""
        super().__init__(f"chain and ledger differ: {listed}{more}")
        self.differences = tuple(differences)
