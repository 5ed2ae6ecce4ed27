"""Chain and ledger at one block. A difference is reported by account, stops settlement, and is never plugged."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from mintery.chain.reserve_vault import VaultProject
from mintery.chain.rpc import BlockRef
from mintery.chain.spend_escrow import Position
from mintery.domain.voucher import AccountId, Address
from mintery.errors import BlockReplaced, LedgerInconsistent, ReconciliationFailed
from mintery.ledger.commands import Block, Difference, RecordReconciliation
from mintery.ledger.reads import AccountBalance, Ledger, StandingDifference, TokenTotals
from mintery.units import AssetUnits, CreditUnits, NanoCredits, assets_up, credit_units
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.chain_flows import FlowLedger, Flows, TokenFlows
from mintery.usecases.onchain import OnChain

_READS = 5
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


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """One project on chain: ``escrowed`` is the escrow's own count, ``in_escrow`` its balance of the token."""

    project: VaultProject
    supply: CreditUnits
    escrowed: CreditUnits
    in_escrow: CreditUnits


@dataclass(frozen=True, slots=True)
class ChainFigures:
    """What the chain says at one block."""

    accounts: Mapping[AccountId, Position]
    tokens: Mapping[Address, TokenFigures]
    owed: Mapping[int, AssetUnits]
    assets: AssetUnits
    claims: AssetUnits
    flows: Flows


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """What the ledger says at the same block."""

    block: Block
    accounts: Sequence[AccountBalance]
    settled: Mapping[AccountId, NanoCredits]
    totals: Sequence[TokenTotals]


class Reconciler:
    """Compares, and remembers what the last comparison found. Safe to share between threads."""

    def __init__(self, chain: OnChain, ledger: Ledger, gateway: Address, alarms: Alarms) -> None:
        self._chain = chain
        self._ledger = ledger
        self._gateway = gateway
        self._alarms = alarms
        self._flows = FlowLedger(chain)
        self._lock = threading.Lock()
        self.last: Reconciliation | None = None

    def reconcile(self, now: datetime, *, ledger: Ledger | None = None, anew: bool = False) -> Reconciliation:
        """Compare everything at the newest block that the ledger has recorded.

        A difference sounds an alarm that no settlement passes, unless only assets are missing in the vault, which sounds one
        of its own; it falls when a later comparison agrees. Whether to raise
        is the caller's choice (``raise_on_difference``). ``ledger``: the same one as the leader of a job writes it; whoever
        lost the lead while it compared records nothing, and neither sounds nor lifts an alarm. ``anew``: without the sums of
        events that were kept.

        Raises:
            LedgerInconsistent: the ledger has recorded no block, or its tables contradict each other.
            BlockReplaced: the chain is not the one that the ledger recorded.
        """
        with self._lock:
            self._check_tables(now)
            recorded = read_ledger(self._ledger)
            at = self._chain.rpc.block(recorded.block.number)
            if at.hash != recorded.block.hash:
                raise BlockReplaced(at.number, recorded=recorded.block.hash, connected=at.hash)
            writes = ledger or self._ledger
            if anew:
                self._flows.forget()
            seen = read_chain(self._chain, recorded.accounts, self._flows.up_to(at, writes), at)
            compared = Reconciliation(recorded.block, tuple(compare(seen, recorded, self._gateway)))
            self._record(writes, compared, now)
            standing = {each.what: each for each in self._ledger.differences()} if compared.differences else {}
            self.last = replace(compared, standing=standing)
            # Before the next one compares: an older result must not have the last word.
            self._tell(self.last, now)
            return self.last

    def as_json(self) -> dict[str, Any]:
        """The last comparison as the operator sees it; empty before the first."""
        return {} if self.last is None else reconciliation_json(self.last)

    def _check_tables(self, now: datetime) -> None:
        try:
            self._ledger.check()
        except LedgerInconsistent as error:
            self._alarms.sound(Alarm.LEDGER_INCONSISTENT, str(error), now)
            raise

    def _record(self, ledger: Ledger, result: Reconciliation, now: datetime) -> None:
        found = tuple(Difference(check.what, check.left, check.right) for check in result.differences)
        ledger.commit([RecordReconciliation(result.block, found, now)])

    def _tell(self, result: Reconciliation, now: datetime) -> None:
        self._tell_short(result, now)
        if not result.halting:
            self._alarms.clear(Alarm.RECONCILIATION)
            return
        first, count = result.halting[0], len(result.halting)
        known = result.standing.get(first.what)
        since = "never equal before" if known is None or known.last_equal is None else f"equal at {known.last_equal}"
        why = (
            f"{first.what}: {first.left} on chain, {first.right} here, {first.difference:+} at block "
            f"{result.block.number}, {since} ({count} differences)"
        )
        self._alarms.sound(Alarm.RECONCILIATION, why, now)

    def _tell_short(self, result: Reconciliation, now: datetime) -> None:
        short = next((check for check in result.differences if check.what == COVERED), None)
        if short is None:
            self._alarms.clear(Alarm.UNDERCOLLATERAL)
            return
        why = f"the vault holds {short.left} of {short.right} claimed, {short.difference:+} at block {result.block.number}"
        self._alarms.sound(Alarm.UNDERCOLLATERAL, why, now)


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


def read_ledger(ledger: Ledger) -> LedgerFigures:
    """The ledger between two blocks: read again if one was recorded meanwhile.

    Raises:
        LedgerInconsistent: no block is recorded, or the ledger never stands still.
    """
    for _ in range(_READS):
        before = ledger.last_block()
        if before is None:
            raise LedgerInconsistent("the ledger has recorded no block yet")
        accounts = tuple(ledger.accounts())
        figures = LedgerFigures(before, accounts, ledger.settled_by_account(), tuple(ledger.totals()))
        if ledger.last_block() == before:
            return figures
    raise LedgerInconsistent(f"{_READS} readings were each overtaken by a new block")


def read_chain(chain: OnChain, accounts: Sequence[AccountBalance], summed: Flows, at: BlockRef) -> ChainFigures:
    """``summed``: what the events up to ``at`` add up to."""
    positions = chain.escrow.positions_of([account.key for account in accounts], at=at)
    tokens = {*summed.tokens, *(account.key.token for account in accounts)}
    return ChainFigures(
        accounts=dict(zip((account.id for account in accounts), positions, strict=True)),
        tokens={token: _token_figures(chain, token, at) for token in sorted(tokens)},
        owed={provider: chain.vault.owed_to(provider, at=at) for provider in range(1, chain.registry.count(at=at) + 1)},
        assets=chain.asset.balance_of(chain.vault.address, at=at),
        claims=chain.vault.total_claims(at=at),
        flows=summed,
    )


def _token_figures(chain: OnChain, token: Address, at: BlockRef) -> TokenFigures:
    credit_token = chain.token(token)
    return TokenFigures(
        project=chain.vault.project_of(token, at=at),
        supply=credit_token.total_supply(at=at),
        escrowed=chain.escrow.total_balance(token, at=at),
        in_escrow=credit_token.balance_of(chain.escrow.address, at=at),
    )


def compare(chain: ChainFigures, ledger: LedgerFigures, gateway: Address) -> Iterator[Check]:
    """Every figure that must agree, and every bound that must hold, at one block."""
    for account in ledger.accounts:
        yield from _compare_account(chain.accounts[account.id], account, ledger.settled[account.id])
    totals = {total.token: total for total in ledger.totals}
    for token, figures in chain.tokens.items():
        yield from _check_token(figures, chain.flows.tokens[token])
        ours = [chain.accounts[account.id] for account in ledger.accounts if account.key.token == token]
        yield from _compare_token(figures, ours, totals.get(token), chain.flows.tokens[token].burned_for[gateway])
    for provider, owed in chain.owed.items():
        yield Check(
            f"provider {provider}: owed, against what its events add up to",
            Rule.EQUAL,
            owed,
            chain.flows.owed[provider],
        )

    claims = sum(figures.project.reserve + figures.project.margin for figures in chain.tokens.values())
    yield Check(
        "vault: claims, against reserves, margins and owed", Rule.EQUAL, chain.claims, claims + sum(chain.owed.values())
    )
    yield Check(COVERED, Rule.AT_LEAST, chain.assets, chain.claims)


def _compare_account(chain: Position, ledger: AccountBalance, settled: NanoCredits) -> Iterator[Check]:
    held = NanoCredits(ledger.available + ledger.held + ledger.captured)
    yield Check(f"account {ledger.id}: balance", Rule.EQUAL, chain.balance, credit_units(held))
    yield Check(f"account {ledger.id}: epoch", Rule.EQUAL, chain.epoch, ledger.epoch)
    yield Check(f"account {ledger.id}: settled in this epoch", Rule.EQUAL, chain.spent, credit_units(settled))


def _check_token(figures: TokenFigures, flows: TokenFlows) -> Iterator[Check]:
    """The chain against itself."""
    name, project = figures.project.token, figures.project
    backing = assets_up(figures.supply, project.par)
    yield Check(f"{name}: reserve backs the supply (S1)", Rule.AT_LEAST, project.reserve, backing)
    yield Check(
        f"{name}: the escrow holds what its accounts do (S9)", Rule.AT_LEAST, figures.in_escrow, figures.escrowed
    )
    supply = flows.minted - flows.redeemed - flows.burned
    yield Check(f"{name}: supply is minted less redeemed less burned", Rule.EQUAL, figures.supply, supply)
    yield Check(
        f"{name}: paid and margin are the backing of what was burned",
        Rule.EQUAL,
        flows.paid + flows.margin,
        flows.backing,
    )
    yield Check(f"{name}: providers were credited what was paid", Rule.EQUAL, flows.credited, flows.paid)
    margin = flows.margin - flows.margin_withdrawn
    yield Check(f"{name}: margin, against what its events add up to", Rule.EQUAL, project.margin, margin)


def _compare_token(
    figures: TokenFigures, ours: Sequence[Position], total: TokenTotals | None, burned: int
) -> Iterator[Check]:
    name = figures.project.token
    deposited = sum(account.balance for account in ours)
    yield Check(f"{name}: the escrow counts all our accounts", Rule.AT_LEAST, figures.escrowed, deposited)
    if total is None:
        yield Check(f"{name}: burned for this gateway", Rule.EQUAL, burned, 0)
        return
    open_ = NanoCredits(total.available + total.held + total.captured)
    yield Check(f"{name}: balances of our accounts", Rule.EQUAL, deposited, credit_units(open_))
    flowed = NanoCredits(total.deposited - total.exited - total.burned)
    yield Check(f"{name}: deposited less exited less burned", Rule.EQUAL, deposited, credit_units(flowed))
    yield Check(f"{name}: burned for this gateway", Rule.EQUAL, burned, credit_units(total.burned))
    charged = NanoCredits(total.burned + total.captured + total.losses)
    yield Check(f"{name}: burned, captured and lost, against receipts", Rule.EQUAL, charged, total.receipts)
