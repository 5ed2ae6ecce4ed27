"""What a comparison of chain and ledger at one block found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mintery.errors import ReconciliationFailed
from mintery.ledger.commands import Block
from mintery.ledger.reads import StandingDifference

COVERED = "vault: assets cover all claims (S2)"


class Rule(StrEnum):
    EQUAL = "equal"
    AT_LEAST = "at_least"


@dataclass(frozen=True, slots=True)
class Check:
    """``left`` is what the chain says, ``right`` what the ledger or the rule wants; base units of credit or asset."""

    what: str
    rule: Rule
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right if self.rule is Rule.EQUAL else self.left >= self.right

    @property
    def difference(self) -> int:
        """What the chain has more than it should, negative where it has less."""
        return self.left - self.right


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All that was compared at one block."""

    block: Block
    checks: tuple[Check, ...]
    standing: Mapping[str, StandingDifference] = field(default_factory=dict)
    """What is known of those that differ, by ``what``: since when, and where they were last equal."""

    @property
    def differences(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.holds)

    @property
    def halting(self) -> tuple[Check, ...]:
        """The differences that no settlement may pass. What the asset itself lost is none: settling moves claims alone, and
        what is open must settle before its holders exit.
        """
        return tuple(check for check in self.differences if check.what != COVERED)

    def raise_on_difference(self) -> None:
        """Raises ReconciliationFailed."""
        if self.differences:
            raise ReconciliationFailed([(check.what, check.left, check.right) for check in self.differences])


def reconciliation_json(result: Reconciliation) -> dict[str, Any]:
    """Amounts as strings, in base units."""
    return {
        "block": {"number": result.block.number, "hash": result.block.hash, "time": result.block.timestamp},
        "agrees": not result.differences,
        "differences": len(result.differences),
        "checks": [
            {
                "what": check.what,
                "rule": check.rule.value,
                "left": str(check.left),
                "right": str(check.right),
                "holds": check.holds,
                "difference": str(check.difference),
                "last_equal_block": known.last_equal
                if (known := result.standing.get(check.what)) is not None
                else None,
            }
            for check in result.checks
        ],
    }
