"""What happens in one run, drawn from its seed: who asks for what, what goes wrong, and when the gateway dies."""

from dataclasses import dataclass, replace
from enum import StrEnum

SQLITE, POSTGRESQL = "sqlite", "postgresql"
FIRST_ROUTE, SECOND_ROUTE = "small", "large"
"""The provider's own names of two models that may stand in for one another."""


class Shape(StrEnum):
    JSON = "json"
    STREAM = "stream"
    EMBEDDING = "embedding"


class Behaviour(StrEnum):
    """Of the provider, in one call."""

    GOOD = "answers well"
    SLOW = "answers in small pieces"
    STALLS = "stalls before its first byte"
    STALLS_MIDWAY = "stalls in mid-stream"
    DIES_EARLY = "dies before its first byte"
    DIES_MIDWAY = "dies in mid-stream"
    ENDS_EARLY = "ends a stream without [DONE]"
    REPEATS = "says every event twice"
    NO_USAGE = "omits usage"
    ZERO = "reports no usage at all: zero"
    NEGATIVE = "reports negative usage"
    TENFOLD = "reports ten times the cap"
    REFUSES = "refuses with 400"
    FAILS = "fails with 500"
    NONSENSE = "answers with nonsense"


class Manners(StrEnum):
    """Of the client, in one call."""

    GOOD = "stays to the end"
    RESETS_AT_ONCE = "resets as soon as it has asked"
    RESETS_MIDWAY = "resets in the middle of the answer"
    CUTS_UPLOAD = "resets in the middle of its own request"
    HALF_CLOSES = "closes its side and listens on"


class Mischief(StrEnum):
    """Of an rpc endpoint."""

    SILENT_AFTER = "does what it is asked and drops the connection"
    SILENT_BEFORE = "drops the connection at once"
    STALLS = "does what it is asked and never answers"
    ERROR = "answers with a JSON-RPC error"
    HTTP_ERROR = "answers with HTTP 503"
    EMPTY_LOGS = "leaves events out of ranges"
    WRONG_CHAIN = "lies about the chain's id"
    LAGS = "is some blocks behind"


class Fate(StrEnum):
    """Of transactions in blocks that a reorganisation replaces."""

    KEPT = "kept"
    WAITING = "waiting"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Call:
    """One logical request of one client.

    Attributes:
        name: names it everywhere, and stands in its body.
        key: its idempotency key.
        raised: it presents a raised voucher of its own.
        retries: how often the client says "this is a retry" after it saw no end.
        leaves_at: the byte of the answer at which an ill-mannered client goes.
        prompt, completion: tokens that the provider counts.
        words: pieces of a stream.
        first: it may be answered by either of two routes, and this is what the one that is asked first does; ``behaviour``
            is then the other's.
    """

    name: str
    member: int
    shape: Shape = Shape.JSON
    behaviour: Behaviour = Behaviour.GOOD
    manners: Manners = Manners.GOOD
    key: str | None = None
    raised: bool = False
    retries: int = 0
    leaves_at: int = 0
    prompt: int = 10
    completion: int = 5
    words: int = 3
    first: Behaviour | None = None

    def at(self, upstream: str) -> "Call":
        """As the route with that name at its provider answers it."""
        return self if self.first is None or upstream != FIRST_ROUTE else replace(self, behaviour=self.first)

    def words_for_people(self) -> str:
        how = [
            f"{self.name}: member {self.member} asks for {self.shape}",
            f"({self.prompt}+{self.completion} tokens)",
            *([f"with key {self.key}"] if self.key else []),
            *(["with a raised voucher"] if self.raised else []),
            *([f"retrying {self.retries} times"] if self.retries else []),
            *([f"and {self.manners}"] if self.manners is not Manners.GOOD else []),
            *([f"; its first route {self.first}"] if self.first is not None else []),
            *([f"; the provider {self.behaviour}"] if self.behaviour is not Behaviour.GOOD else []),
        ]
        return " ".join(how)


@dataclass(frozen=True, slots=True)
class Ask:
    """All at once, while ``jobs`` run one after the other. ``slot``: who is asked first; two processes take turns.

    ``meanwhile``: jobs begin when the provider has been called, which answers nobody before they are done.
    """

    calls: tuple[Call, ...]
    jobs: tuple[str, ...] = ()
    slot: int = 0
    meanwhile: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs one after the other; ``together``: on every process at once."""

    jobs: tuple[str, ...]
    slot: int = 0
    together: bool = False


@dataclass(frozen=True, slots=True)
class Mine:
    """What waits, and ``blocks`` empty blocks."""

    blocks: int


@dataclass(frozen=True, slots=True)
class Reorganise:
    depth: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class Deposit:
    member: int
    millicredits: int


@dataclass(frozen=True, slots=True)
class Exit:
    """``what``: ``start``, ``close``, ``cancel``, ``execute`` by the holder, or ``release`` by the settler."""

    member: int
    what: str
    millicredits: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    seconds: int


@dataclass(frozen=True, slots=True)
class Skew:
    """A gateway's own clock, against everybody else's."""

    slot: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """The next ``count`` requests of ``method`` (any, where it is empty) after the first ``spared`` ones."""

    mischief: Mischief
    method: str = ""
    spared: int = 0
    count: int = 1
    blocks: int = 0
    endpoint: int = 0


@dataclass(frozen=True, slots=True)
class Mempool:
    """``instant``: transactions are in a block as they arrive. ``fee_factor`` times the base fee."""

    instant: bool
    fee_factor: int = 1


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL from outside."""

    slot: int


@dataclass(frozen=True, slots=True)
class LockLedger:
    """Somebody else holds the write lock while ``jobs`` run and for ``millis`` at least."""

    millis: int
    calls: tuple[Call, ...] = ()
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entangle:
    """Somebody else locks two accounts' rows in the wrong order while ``calls`` are asked: one of them is refused."""

    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class CutCommit:
    """PostgreSQL's connection breaks in the first COMMIT after ``spared`` others; ``committed``: the server did it."""

    spared: int
    committed: bool


@dataclass(frozen=True, slots=True)
class StopDatabase:
    """PostgreSQL is stopped immediately while ``calls`` are asked and ``jobs`` run, and started again after ``millis``."""

    millis: int
    calls: tuple[Call, ...] = ()
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FullDisk:
    """``room`` bytes are left, then none, while ``calls`` are asked and ``jobs`` run."""

    room: int
    calls: tuple[Call, ...] = ()
    jobs: tuple[str, ...] = ()


Happening = (
    Ask
    | Work
    | Mine
    | Reorganise
    | Deposit
    | Exit
    | Skip
    | Skew
    | Trouble
    | Mempool
    | Kill
    | LockLedger
    | Entangle
    | CutCommit
    | StopDatabase
    | FullDisk
)


@dataclass(frozen=True, slots=True)
class Death:
    """A gateway's process number ``life`` (restarts count on) dies when it reaches ``point`` for the ``count``-th time."""

    life: int
    point: int
    count: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """``processes`` gateways on one ledger, ``endpoints`` of the chain.

    A block is believed under ``confirmations`` others, and never taken back under ``finality``.
    """

    seed: int
    database: str
    processes: int
    confirmations: int
    finality: int
    batch_lines: int
    endpoints: int
    happenings: tuple[Happening, ...]
    deaths: tuple[Death, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(call for one in self.happenings for call in getattr(one, "calls", ()))
