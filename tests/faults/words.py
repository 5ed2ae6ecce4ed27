"""A scenario for people."""

from collections.abc import Iterator

from tests.faults.points import POINTS
from tests.faults.scenario import Call, Scenario


def in_words(scenario: Scenario) -> Iterator[str]:
    yield (
        f"seed {scenario.seed}: {scenario.processes} gateway(s) on {scenario.database}, "
        f"{scenario.endpoints} rpc endpoint(s), {scenario.confirmations} confirmations, final after {scenario.finality}, at most {scenario.batch_lines} lines in a batch"
    )
    for death in scenario.deaths:
        yield f"process {death.life} dies {POINTS[death.point]}, the {death.count}. time"
    for number, happening in enumerate(scenario.happenings):
        calls: tuple[Call, ...] = getattr(happening, "calls", ())
        fields = {name: getattr(happening, name) for name in happening.__slots__ if name != "calls"}
        told = ", ".join(f"{name} {value}" for name, value in fields.items() if value not in ((), ""))
        yield f"{number}. {type(happening).__name__}: {told}"
        yield from (f"   {call.words_for_people()}" for call in calls)
