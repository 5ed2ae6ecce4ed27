"""Chain and ledger at one block. A difference is reported by account, stops settlement, and is never plugged."""

import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

from mintery.domain.voucher import Address
from mintery.errors import BlockReplaced, LedgerInconsistent
from mintery.ledger.commands import Difference, RecordReconciliation
from mintery.ledger.reads import Ledger
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.chain_flows import FlowLedger
from mintery.usecases.compare_books import compare, read_chain, read_ledger
from mintery.usecases.onchain import OnChain
from mintery.usecases.reconciliation import COVERED, Reconciliation, reconciliation_json


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
