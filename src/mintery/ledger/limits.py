"""What a request counts against which counters, as its row keeps it: JSON of ``[[key, until, counted, ceiling], …]``.

``counted`` is what it still counts for; a counter's ``used`` is their sum. Whoever changes it has the request's account locked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import bindparam, select, update

from mintery.domain.hold import Ending, RequestId
from mintery.ledger.schema import counters, requests
from mintery.ledger.work import Statement, Work

_limited = Statement(select(requests.c.limited, requests.c.captured).where(requests.c.id == bindparam("request")))
_set_limited = Statement(
    update(requests).where(requests.c.id == bindparam("request_id")).values(limited=bindparam("limits"))
)
_count = Statement(
    update(counters).where(counters.c.key == bindparam("counter")).values(used=counters.c.used + bindparam("more"))
)


@dataclass(slots=True)
class Limit:
    """Amounts are nanocredits; ``until`` is an ``Ending``'s value, with ``:`` and a model behind it where the limit counts what
    that model answers alone.
    """

    key: str
    until: str
    counted: int
    ceiling: int

    def stays(self, left: Mapping[str, int]) -> int:
        """What it counts for once it counts for ``left`` of those that end so; never more than it did."""
        return min(left.get(self.until, self.counted), self.counted)


def limits_text(limits: Sequence[Limit]) -> str | None:
    """None where there are none."""
    if not limits:
        return None
    return orjson.dumps([(each.key, each.until, each.counted, each.ceiling) for each in limits]).decode()


def parse_limits(text: str | None) -> list[Limit]:
    return [] if text is None else [Limit(*fields) for fields in orjson.loads(text)]


def free_limits(work: Work, request: RequestId | str, left: Mapping[str, int]) -> None:
    """Let the request count for ``left`` against its limits, by when each ends; never for more than it did."""
    row = work.row(_limited, request=request)
    if row is not None:
        _recount(work, request, limits := parse_limits(row[0]), [each.stays(left) for each in limits])


def count_again(work: Work, request: str) -> None:
    """A captured request waits for its settlement again, and counts for what it cost until then."""
    row = work.row(_limited, request=request)
    if row is None:
        return
    limits, cost = parse_limits(row[0]), row[1] or 0
    counts = [max(each.counted, cost) if each.until == Ending.SETTLEMENT else each.counted for each in limits]
    _recount(work, request, limits, counts)


def _recount(work: Work, request: str, limits: Sequence[Limit], counts: Sequence[int]) -> None:
    changed = False
    for limit, counted in zip(limits, counts, strict=True):
        if counted != limit.counted:
            work.run(_count, counter=limit.key, more=counted - limit.counted)
            limit.counted, changed = counted, True
    if changed:
        work.run(_set_limited, request_id=request, limits=limits_text(limits))
