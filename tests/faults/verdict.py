"""What must hold after every run, whatever went wrong in it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.faults.base import LARGE_PRICES, TINY_USD, Base
from tests.faults.client import Seen
from tests.faults.ledgers import LedgerEye, Request
from tests.faults.provider import reported
from tests.faults.requests import Wallets
from tests.faults.scenario import Behaviour, Call, Deposit, Exit, Fate, Happening, Manners, Reorganise, Scenario, Shape
from tests.usecases.town import MARKUP, PRICES

from mintery.chain.events import BatchSettled, decode_log
from mintery.errors import LedgerInconsistent
from mintery.ledger.audit import LedgerAudit

_USD = {**PRICES, **LARGE_PRICES}


def cost_of(call: Call, model: str) -> int | None:
    """Nanocredits by a formula of our own, for usage that is told and within bounds. One credit is one dollar here."""
    usage = reported(call.at(model.partition("/")[2]))
    if usage is None or min(usage) < 0 or max(usage) > 1_000:
        return None
    prompt, completion = usage
    if call.shape is Shape.EMBEDDING:
        usd = prompt * TINY_USD
    else:
        usd = prompt * _USD[f"{model}:input_token"] + completion * _USD[f"{model}:output_token"]
    return -(-usd * (10_000 + MARKUP) // (10_000 * 10**9))


_STAYS = frozenset({Manners.GOOD, Manners.HALF_CLOSES})
"""Who stays and does not see an answer's end was not sent it, whatever the gateway believes."""
_WHOLE = frozenset(
    {
        Behaviour.GOOD,
        Behaviour.SLOW,
        Behaviour.REPEATS,
        Behaviour.NO_USAGE,
        Behaviour.ZERO,
        Behaviour.NEGATIVE,
        Behaviour.TENFOLD,
    }
)

_SILENT = frozenset({Behaviour.DIES_EARLY, Behaviour.FAILS, Behaviour.REFUSES, Behaviour.NONSENSE})
"""Nothing of an answer is said."""
_ENDS = frozenset({"delivered", "broke"})


class Verdict:
    """Each check yields what is wrong."""

    def __init__(
        self,
        scenario: Scenario,
        base: Base,
        eye: LedgerEye,
        *,
        tries: Mapping[str, Sequence[Seen]],
        provider_calls: Callable[[str], Sequence[int]],
        answered: Mapping[str, int],
        calm: bool,
        wallets: Wallets,
    ) -> None:
        self._scenario, self._base, self._eye = scenario, base, eye
        self._tries, self._provider_calls = tries, provider_calls
        self._answered, self._calm = answered, calm
        self.requests = eye.requests()
        self._by_body: defaultdict[bytes, list[Request]] = defaultdict(list)
        for request in self.requests:
            self._by_body[request.body].append(request)
        self._by_id = {request.id: request for request in self.requests}
        self._body_of = {call.name: wallets.sent(call).known_by for call in scenario.calls}

    def wrong(self) -> Iterator[str]:
        yield from self._sums()
        yield from self._acknowledged()
        yield from self._charged_once()
        yield from self._ended()
        yield from self._provider_count()
        yield from self._paid_once()
        yield from self._work_is_charged()
        yield from self._stood_in()

    def _requests_of(self, call: Call) -> list[Request]:
        return self._by_body[self._body_of[call.name]]

    def _sums(self) -> Iterator[str]:
        """Transfers sum to zero over all books, and each stored balance is the sum of its own."""
        sums = self._eye.buckets()
        if total := sum(sums.values()):
            yield f"transfers sum to {total}"
        for account, available, held, captured, *_ in self._eye.accounts():
            for bucket, stored in (("available", available), ("held", held), ("captured", captured)):
                if (summed := sums.get(f"{bucket}:{account}", 0)) != stored:
                    yield f"{bucket} of {account[:10]} is {stored} stored and {summed} summed"

    def _acknowledged(self) -> Iterator[str]:
        """Who saw an answer's end has its receipt there, at the cost that it was told and that its usage makes."""
        for call in self._scenario.calls:
            for seen in self._tries.get(call.name, ()):
                if not seen.paid_answer:
                    continue
                request = self._by_id.get(seen.receipt or "")
                if request is None or request.cost is None:
                    yield f"{call.name} saw its end and has no receipt ({seen.receipt})"
                    continue
                told = seen.headers.get("x-mintery-cost-nanocredits")
                if told is not None and int(told) != request.cost:
                    yield f"{call.name} was told {told} and charged {request.cost}"
                computed = cost_of(call, str(request.model))
                if computed is not None and request.cost != computed:
                    yield f"{call.name} was charged {request.cost} for what costs {computed}"
                if request.body != self._body_of[call.name]:
                    yield f"{call.name} was given the answer of another request"

    def _charged_once(self) -> Iterator[str]:
        """At most once for each logical request; twice only what was delivered before and asked for again."""
        for call in self._scenario.calls:
            charged = [one for one in self._requests_of(call) if one.captured is not None]
            ends = [seen for seen in self._tries.get(call.name, ()) if seen.paid_answer]
            if ends and not charged:
                yield f"{call.name} saw its end and was not charged"
            if (call.key is not None or call.raised) and len(charged) > 1:
                yield f"{call.name} was charged {len(charged)} times under one key or voucher"
            again = [one for one in charged[:-1] if not one.delivered]
            if call.retries and again:
                yield f"{call.name} was charged again while {again[0].id} was not delivered"
            if call.manners in _STAYS and len(charged) > 1:
                yield f"{call.name} stayed to the end and was charged {len(charged)} times"
            if not call.retries and len(charged) > 1:
                yield f"{call.name} was sent once and charged {len(charged)} times"
            if len({seen.receipt for seen in ends}) > 1 and call.key is not None:
                yield f"{call.name} was given several receipts under one idempotency key"

    def _ended(self) -> Iterator[str]:
        if count := self._eye.open_holds():
            yield f"{count} holds never ended"
        for request in self.requests:
            if request.captured is not None and request.cost != request.captured:
                yield f"{request.id} captured {request.captured} and has a receipt of {request.cost}"
            if request.released_for is not None and request.cost:
                yield f"{request.id} was released and has a receipt of {request.cost}"

    def _provider_count(self) -> Iterator[str]:
        """No call without a durable hold. A hold without a call was released: its gateway died in between, or gave up before
        the provider had the request.
        """
        for call in self._scenario.calls:
            dispatched = [one for one in self._requests_of(call) if one.dispatched]
            called = self._provider_calls(call.name)
            released = sum(one.released_for is not None for one in dispatched)
            if not (len(dispatched) - released <= sum(called) and max(called, default=0) <= len(dispatched)):
                yield f"{call.name}: {called} calls of the provider, {len(dispatched)} dispatched, {released} of them released"

    def _work_is_charged(self) -> Iterator[str]:
        """Where no gateway died and no clock jumped, the operator loses nothing: whole answers are charged."""
        for call in self._scenario.calls if self._calm else ():
            charged = sum(one.captured is not None for one in self._requests_of(call))
            behaviours = {call.behaviour} if call.first is None else {call.behaviour, call.first}
            if behaviours & _WHOLE and behaviours <= _WHOLE | _SILENT and charged != self._answered.get(call.name, 0):
                yield f"{call.name} was answered {self._answered.get(call.name, 0)} times and charged {charged} times"

    def _stood_in(self) -> Iterator[str]:
        """One hold is answered once, by the route that is paid; what was called before it had said nothing."""
        for call in self._scenario.calls:
            dispatched = sum(one.dispatched for one in self._requests_of(call))
            if (answered := self._answered.get(call.name, 0)) > dispatched:
                yield f"{call.name} was answered {answered} times for {dispatched} holds"
        for request in self.requests:
            if request.captured is None or not request.calls:
                continue
            *failed, (route, outcome) = self._eye.calls(request.id)
            if route != request.model or outcome not in _ENDS:
                yield f"{request.id} is charged for {request.model}, and its last call is {outcome} by {route}"
            if spoke := [before for before in failed if before[1] in _ENDS]:
                yield f"{request.id} was answered by {spoke[0][0]} before {route} was called"

    def _paid_once(self) -> Iterator[str]:
        """Every receipt in exactly one settled batch; in none where its account's credits had left the escrow before."""
        moved = Exit | Deposit if any(_loses(one) for one in self._scenario.happenings) else Exit
        left = {self._base.members[one.member].id for one in self._scenario.happenings if isinstance(one, moved)}
        for request in self.requests:
            if request.batches > 1 or (request.cost and not request.batches and request.account not in left):
                yield f"the receipt of {request.id} is in {request.batches} settled batches"


def _loses(happening: Happening) -> bool:
    """A deposit that was spent may be gone with its block."""
    return isinstance(happening, Reorganise) and happening.fate is Fate.LOST


def wrong_in_books(base: Base, eye: LedgerEye, audit: LedgerAudit) -> Iterator[str]:
    """The tables among themselves, their seals, and both against the chain's own events."""
    try:
        audit.check()
    except LedgerInconsistent as error:
        yield f"the ledger contradicts itself: {error}"
    report = audit.verify()
    if not report.holds or report.waiting:
        yield f"the seals do not hold: {report}"
    deployment, rpc = base.deployment, base.town.rpc
    logs = rpc.logs(base.synced + 1, rpc.block().number, [deployment.escrow])
    events = [decode_log(log) for log in logs]
    settled = [one for one in events if isinstance(one, BatchSettled) and one.gateway == base.identity.address]
    counts = Counter(one.batch_id for one in settled)
    if twice := [batch for batch, count in counts.items() if count > 1]:
        yield f"batches {twice} were settled more than once"
    recorded = {batch for [batch] in eye.rows("SELECT batch_id FROM batches WHERE settled_block IS NOT NULL")}
    if recorded != set(counts):
        yield f"batches {sorted(counts)} were settled on chain, {sorted(recorded)} in the ledger"
    yield from _unpaid(eye, settled)


def _unpaid(eye: LedgerEye, settled: Sequence[BatchSettled]) -> Iterator[str]:
    """What receipts charged was burned by the chain's own word, or is waiting, or is a loss that is booked as one."""
    burned: Counter[str] = Counter()
    for one in settled:
        rows = eye.rows(
            "SELECT l.account FROM batch_lines l JOIN batches b ON b.seq = l.batch"
            " WHERE b.batch_id = ? AND b.settled_block IS NOT NULL ORDER BY l.position",
            [one.batch_id],
        )
        if len(rows) != len(one.outcomes):
            yield f"batch {one.batch_id} has {len(one.outcomes)} lines on chain and {len(rows)} in the ledger"
        for [account], outcome in zip(rows, one.outcomes, strict=False):
            burned[account] += outcome.burned
    charged: Counter[str] = Counter()
    for account, cost in eye.rows("SELECT account, cost FROM receipts"):
        charged[account] += cost
    sums = eye.buckets()
    for account, cost in charged.items():
        [[lost]] = eye.rows(
            "SELECT coalesce(sum(amount), 0) FROM transfers WHERE kind = 'loss' AND debit = ?", [f"uncovered:{account}"]
        )
        waiting = sums.get(f"captured:{account}", 0) + sums.get(f"uncovered:{account}", 0)
        if cost != burned[account] + waiting + lost:
            yield f"{account[:10]} was charged {cost}; burned {burned[account]}, waiting {waiting}, lost {lost}"
