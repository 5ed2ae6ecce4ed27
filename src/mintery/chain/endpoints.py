"""Several endpoints of one chain as one that fails over, and that believes what moves money only by a quorum.

What is fixed once a block is there (its header, its events, state pinned to it) must be said alike by every endpoint that
answers, and by at least a quorum. One that does not have the block is passed over. Answers that differ are asked for again,
as a reorganisation may be passing; then the few are put aside and named, and where there is no majority nobody is believed.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mintery.chain.agreement import Policy, guess_of, middle_place, needed_block, policy_of, sameness, says_nothing
from mintery.chain.endpoint import Request, Wire
from mintery.chain.member import EndpointFault, Fault, Identity, Member
from mintery.chain.wire import parse_block
from mintery.errors import RpcRefused, RpcsDisagree, RpcUnavailable
from mintery.units import ceil_div

_log = logging.getLogger(__name__)

_ROUNDS = 3
_PAUSE = 0.15
"""Seconds between two rounds: long enough for a block to reach the other node, most of the time."""

Answers = list[Any | RpcRefused]
Answered = list[tuple[Member, Answers]]


class Endpoints(Wire):
    """Safe to share between threads.

    Raises:
        RpcUnavailable: fewer than ``quorum`` answer.
        RpcsDisagree: they serve different chains, and no majority the same.
    """

    def __init__(
        self, wires: Sequence[Wire], *, quorum: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.quorum = ceil_div(len(wires), 2) if quorum is None else min(quorum, len(wires))
        self._members = [Member(wire, _name(wires, at)) for at, wire in enumerate(wires)]
        self.url = ", ".join(member.url for member in self._members)
        self._clock = clock
        self._pool = ThreadPoolExecutor(4 * len(wires), thread_name_prefix="rpc")
        self.identity = self._find_identity()

    def request(self, method: str, *parameters: Any) -> Any:
        wanted = (method, list(parameters))
        match policy_of(method, parameters):
            case Policy.AGREED:
                answer = self._agreed([wanted])[0]
            case Policy.NEWEST:
                answer = self._newest(wanted)
            case Policy.COUNT:
                answer = self._count(wanted)
            case Policy.FOUND:
                answer = self._found(wanted)
            case Policy.EVERY:
                answer = self._every(wanted)
            case Policy.MIDDLE:
                answer = self._middle(wanted)
            case Policy.FIRST:
                answer = self._first(wanted)
        if isinstance(answer, RpcRefused):
            raise answer
        return answer

    def request_all(self, wanted: Sequence[Request]) -> Answers:
        if not wanted:
            return []
        if all(policy_of(*request) is Policy.AGREED for request in wanted):
            return self._agreed(wanted)
        answers: Answers = []
        for method, parameters in wanted:
            try:
                answers.append(self.request(method, *parameters))
            except RpcRefused as refused:
                answers.append(refused)
        return answers

    def agreed(self, wanted: Sequence[Request], *, through: int) -> Answers:
        """What a quorum says alike, whatever the requests' own policies, of those that have block ``through``."""
        return self._agreed(wanted, through=through)

    def look_after(self) -> tuple[EndpointFault, ...]:
        """Ask again those that were put aside or are silent: who serves the chain, and says of a disputed read what the
        others say, is taken back. What is wrong now.
        """
        for member in self._members:
            if member.fault is None:
                continue
            try:
                self._take_back_if_right(member)
            except (RpcUnavailable, RpcsDisagree) as error:
                _log.info("endpoint stays out", extra={"url": member.url, "why": str(error)})
        return tuple(member.fault for member in self._members if member.fault is not None)

    def _take_back_if_right(self, member: Member) -> None:
        now = self._clock()
        if (found := member.identity(now)) != self.identity:
            member.put_aside(Fault.OTHER_CHAIN, f"it serves {found}, not {self.identity}")
            return
        if disputed := member.disputed:
            agreed = _sameness_of(disputed, self._agreed(disputed))
            if _sameness_of(disputed, member.ask(disputed, now)) != agreed:
                return
        if member.aside:
            _log.warning("endpoint taken back", extra={"url": member.url})
        member.take_back()

    def _find_identity(self) -> Identity:
        found: list[tuple[Member, Identity]] = []
        now = self._clock()
        why = "no endpoint was named"
        for member, answer in self._each(self._members, lambda member: member.identity(now)):
            if isinstance(answer, RpcUnavailable):
                why = answer.why
            else:
                found.append((member, answer))
        if len(found) < self.quorum:
            raise RpcUnavailable(self.url, f"{len(found)} of {len(self._members)} answer ({why})")
        (identity, votes), *_ = Counter(answer for _, answer in found).most_common(1)
        if 2 * votes <= len(found) or votes < self.quorum:
            raise RpcsDisagree("which chain this is", [member.url for member, _ in found], self.quorum)
        for member, answer in found:
            member.verified_at = now
            if answer != identity:
                member.put_aside(Fault.OTHER_CHAIN, f"it serves {answer}, not {identity}")
                self._tell(member)
        return identity

    # How each policy asks

    def _agreed(self, wanted: Sequence[Request], *, through: int = 0) -> Answers:
        for turn in range(_ROUNDS):
            if turn:
                time.sleep(_PAUSE)
            answered = self._ask(wanted, through=through)
            voting = [(member, answers) for member, answers in answered if _votes(wanted, answers)]
            if not voting and len(answered) >= self.quorum:
                return answered[0][1]
            if len(voting) >= self.quorum and len({_sameness_of(wanted, answers) for _, answers in voting}) == 1:
                return voting[0][1]
        return self._majority(wanted, voting)

    def _majority(self, wanted: Sequence[Request], voting: Answered) -> Answers:
        """What most say that still differ, when asking again did not help; the rest is put aside."""
        if len(voting) < self.quorum:
            have = f"{len(voting)} of {len(self._members)} answer {_named(wanted)}; {self.quorum} must"
            raise RpcUnavailable(self.url, have)
        said = [_sameness_of(wanted, answers) for _, answers in voting]
        (agreed, votes), *_ = Counter(said).most_common(1)
        if votes < self.quorum or 2 * votes <= len(voting):
            raise RpcsDisagree(_named(wanted), [member.url for member, _ in voting], self.quorum)
        for (member, _), same in zip(voting, said, strict=True):
            if same != agreed:
                why = f"it says something else of {_named(wanted)} than the {votes} that agree"
                member.put_aside(Fault.LIED, why, tuple(wanted))
                self._tell(member)
        return voting[said.index(agreed)][1]

    def _newest(self, wanted: Request) -> Any:
        """The newest block of this kind that a quorum has, as they agree on it."""
        answered = self._ask([wanted])
        voting: list[tuple[Member, Any]] = [
            (member, answers[0]) for member, answers in answered if _votes([wanted], answers)
        ]
        if len(voting) < self.quorum:
            return self._too_few(wanted, answered)
        if wanted[1][0] == "latest":
            for member, fields in voting:
                member.head = max(member.head, parse_block(fields).number)
        if len({sameness(wanted[0], fields) for _, fields in voting}) == 1:
            return voting[0][1]
        heads = sorted((parse_block(fields).number for _, fields in voting), reverse=True)
        return self._agreed([("eth_getBlockByNumber", [hex(heads[self.quorum - 1]), wanted[1][1]])])[0]

    def _count(self, wanted: Request) -> Any:
        answered = self._ask([wanted])
        counts = [count for _, (answer,) in answered if (count := _count_of(answer)) is not None]
        if len(counts) < self.quorum:
            return self._too_few(wanted, answered)
        return hex(sorted(counts, reverse=True)[self.quorum - 1])

    def _found(self, wanted: Request) -> Any:
        answered = self._ask([wanted])
        if not answered:
            return self._too_few(wanted, answered)
        return next((answer for _, (answer,) in answered if answer is not None), None)

    def _every(self, wanted: Request) -> Any:
        answered = self._ask([wanted], of=[member for member in self._members if not member.aside])
        if not answered:
            return self._too_few(wanted, answered)
        taken = (answer for _, (answer,) in answered if not isinstance(answer, RpcRefused))
        return next(taken, answered[0][1][0])

    def _middle(self, wanted: Request) -> Any:
        """A call that more of them see reverting than not reverts."""
        answered = self._ask([wanted])
        told = [answer for _, (answer,) in answered if not says_nothing(wanted[0], answer)]
        guesses = [(guess, answer) for answer in told if (guess := guess_of(wanted[0], answer)) is not None]
        reverts = [answer for answer in told if isinstance(answer, RpcRefused)]
        if len(guesses) + len(reverts) < self.quorum:
            return self._too_few(wanted, answered)
        if len(reverts) > len(guesses):
            return reverts[0]
        guesses.sort(key=lambda guessed: guessed[0])
        return guesses[middle_place(wanted[0], len(guesses))][1]

    def _first(self, wanted: Request) -> Any:
        """One that is known to be behind is asked last; one that refuses the request itself leaves it to the next."""
        # The newest that a quorum was seen with: nobody comes first by boasting.
        newest = sorted((member.head for member in self._members), reverse=True)[self.quorum - 1]
        refused: Any = None
        for member in sorted(self._askable(), key=lambda member: member.head < newest):
            answered = self._ask([wanted], of=[member])
            for _, (answer,) in answered:
                if not says_nothing(wanted[0], answer):
                    return answer
                refused = refused or answer
        return refused if refused is not None else self._too_few(wanted, [])

    def _too_few(self, wanted: Request, answered: Answered) -> Any:
        if len(answered) >= self.quorum:
            return answered[0][1][0]
        why = "; ".join(str(member.fault.why) for member in self._members if member.fault is not None)
        raise RpcUnavailable(self.url, f"{len(answered)} of {len(self._members)} answer {wanted[0]} ({why})")

    # Asking

    def _askable(self) -> list[Member]:
        """Those that are not put aside; silent ones only where too few are left without them."""
        now = self._clock()
        ready = [member for member in self._members if member.may_be_asked(now)]
        if len(ready) >= self.quorum:
            return ready
        return [member for member in self._members if not member.aside]

    def _ask(self, wanted: Sequence[Request], *, of: Sequence[Member] | None = None, through: int = 0) -> Answered:
        """Everyone at once; who does not answer, or serves another chain, is left out."""
        now = self._clock()
        answered: Answered = []
        for member, answers in self._each(
            self._askable() if of is None else of, lambda member: self._ask_one(member, wanted, now, through)
        ):
            if isinstance(answers, RpcUnavailable):
                _log.info("endpoint silent", extra={"url": member.url, "why": answers.why})
            elif answers is not None:
                answered.append((member, answers))
        return answered

    def _ask_one(self, member: Member, wanted: Sequence[Request], now: float, through: int) -> Answers | None:
        if not member.verify(self.identity, now):
            self._tell(member)
            return None
        needed = max(through, needed_block(wanted))
        if not needed:
            return member.ask(wanted, now)
        head, *answers = member.ask([("eth_blockNumber", []), *wanted], now)
        if (count := _count_of(head)) is None or count < needed:
            return [RpcRefused(method, 0, f"block {needed} is not there yet") for method, _ in wanted]
        return answers

    def _each(self, members: Sequence[Member], ask: Callable[[Member], Any]) -> list[tuple[Member, Any]]:
        """What each says, all asked at once; RpcUnavailable stands in the place of those that do not answer."""

        def asked(member: Member) -> Any:
            try:
                return ask(member)
            except RpcUnavailable as error:
                return error

        if len(members) == 1:
            return [(members[0], asked(members[0]))]
        return list(zip(members, self._pool.map(asked, members), strict=True))

    def _tell(self, member: Member) -> None:
        if member.fault is not None:
            _log.error("endpoint put aside", extra={"url": member.url, "why": member.fault.why})


def _count_of(answer: Any) -> int | None:
    try:
        return int(answer, 16)
    except (TypeError, ValueError):
        return None


def _name(wires: Sequence[Wire], at: int) -> str:
    """Endpoints of one host differ only in what is not shown."""
    shown = wires[at].url
    return shown if sum(wire.url == shown for wire in wires) == 1 else f"{shown} (number {at + 1})"


def _named(wanted: Sequence[Request]) -> str:
    method, parameters = wanted[0]
    pin = next((p for p in parameters if isinstance(p, str) and p.startswith("0x")), "")
    more = f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
    return f"{method} {pin}".strip() + more


def _votes(wanted: Sequence[Request], answers: Answers) -> bool:
    """Whether these answers tell something of the chain, every one of them, and can be read."""
    try:
        _sameness_of(wanted, answers)
    except (TypeError, ValueError, KeyError, AttributeError):
        return False
    return not any(says_nothing(method, answer) for (method, _), answer in zip(wanted, answers, strict=True))


def _sameness_of(wanted: Sequence[Request], answers: Answers) -> Hashable:
    return tuple(sameness(method, answer) for (method, _), answer in zip(wanted, answers, strict=True))
