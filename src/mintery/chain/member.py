"""One endpoint among several: whether it can be asked now, and what was found wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mintery.chain.endpoint import Request, Wire
from mintery.chain.wire import parse_block
from mintery.errors import RpcRefused, RpcUnavailable

FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
VERIFIED_SECONDS = 60.0


class Fault(StrEnum):
    SILENT = "silent"
    """It does not answer. It is asked again after a pause that doubles."""
    OTHER_CHAIN = "other_chain"
    """It serves another chain id, or another genesis."""
    LIED = "lied"
    """It said something else of a block, its events or its state than the others, who were the quorum."""


@dataclass(frozen=True, slots=True)
class EndpointFault:
    """What is wrong with one endpoint, for an alarm. ``url`` shows no key."""

    url: str
    fault: Fault
    why: str


@dataclass(frozen=True, slots=True)
class Identity:
    chain_id: int
    genesis_hash: str

    def __str__(self) -> str:
        return f"chain {self.chain_id} (genesis {self.genesis_hash})"


@dataclass(slots=True)
class Member:
    """One endpoint. Times are of a monotonic clock, in seconds.

    Attributes:
        head: the newest block that it was seen with.
        verified_at: None when its identity is to be asked for before it is believed, as after every silence.
        disputed: the read that it was outvoted on; it comes back when it says of it what the others say.
    """

    wire: Wire
    url: str
    head: int = 0
    verified_at: float | None = None
    quiet_until: float = 0.0
    pause: float = FIRST_PAUSE
    fault: EndpointFault | None = None
    disputed: tuple[Request, ...] = field(default=(), repr=False)

    @property
    def aside(self) -> bool:
        """What it says is not asked for, however few the others are."""
        return self.fault is not None and self.fault.fault is not Fault.SILENT

    def may_be_asked(self, now: float) -> bool:
        return not self.aside and now >= self.quiet_until

    def ask(self, wanted: Sequence[Request], now: float) -> list[Any | RpcRefused]:
        """Raises RpcUnavailable, and is then quiet for a while."""
        try:
            if len(wanted) == 1:
                ((method, parameters),) = wanted
                try:
                    answers = [self.wire.request(method, *parameters)]
                except RpcRefused as refused:
                    answers = [refused]
            else:
                answers = self.wire.request_all(wanted)
        except RpcRefused as refused:
            self._fall_silent(f"it takes no batches: {refused.message}", now)
            raise RpcUnavailable(self.url, "it takes no batches") from None
        except RpcUnavailable as error:
            self._fall_silent(error.why, now)
            raise RpcUnavailable(self.url, error.why) from None
        if self.fault is not None and self.fault.fault is Fault.SILENT:
            self.fault = None
        self.pause = FIRST_PAUSE
        return answers

    def identity(self, now: float) -> Identity:
        """Raises RpcUnavailable."""
        answers: list[Any] = self.ask([("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])], now)
        try:
            return Identity(int(answers[0], 16), parse_block(answers[1]).hash)
        except (TypeError, ValueError, KeyError):
            self._fall_silent("it does not say which chain it serves", now)
            raise RpcUnavailable(self.url, "it does not say which chain it serves") from None

    def verify(self, expected: Identity, now: float) -> bool:
        """Whether it serves the chain it is asked for; one that serves another is put aside.

        Raises:
            RpcUnavailable
        """
        if self.verified_at is not None and now - self.verified_at < VERIFIED_SECONDS:
            return True
        found = self.identity(now)
        if found != expected:
            self.put_aside(Fault.OTHER_CHAIN, f"it serves {found}, not {expected}")
            return False
        self.verified_at = now
        return True

    def put_aside(self, fault: Fault, why: str, disputed: tuple[Request, ...] = ()) -> None:
        self.fault = EndpointFault(self.url, fault, why)
        self.disputed = disputed
        self.verified_at = None

    def take_back(self) -> None:
        self.fault = None
        self.disputed = ()
        self.quiet_until = 0.0

    def _fall_silent(self, why: str, now: float) -> None:
        self.quiet_until = now + self.pause
        self.pause = min(2 * self.pause, LAST_PAUSE)
        self.verified_at = None
        if not self.aside:
            self.fault = EndpointFault(self.url, Fault.SILENT, why)
