from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.hold import Hold, HoldStatus, ReleaseReason, RequestId, capture
from mintery.domain.voucher import AccountId
from mintery.errors import CaptureExceedsHold, HoldNotOpen
from mintery.units import MAX_NANOCREDITS, NanoCredits

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def open_hold(amount: int, **facts: object) -> Hold:
    fields: dict[str, object] = {"dispatched_at": NOON} | facts
    return Hold(
        RequestId("req_" + "0" * 32),
        AccountId("0x" + "0" * 64),
        NanoCredits(amount),
        NOON,
        NOON + timedelta(minutes=5),
        **fields,  # type: ignore[arg-type]  # facts by name
    )


@given(held=st.integers(0, MAX_NANOCREDITS), data=st.data())
def test_capture_conserves_the_hold(held: int, data: st.DataObject):
    cost = data.draw(st.integers(0, held))

    result = capture(open_hold(held), NanoCredits(cost), NOON)

    assert result.captured + result.released == held


@given(held=st.integers(0, MAX_NANOCREDITS), over=st.integers(1, 10**9))
def test_capture_takes_no_more_than_was_held(held: int, over: int):
    with pytest.raises(CaptureExceedsHold) as refused:
        capture(open_hold(held), NanoCredits(held + over), NOON)

    assert (refused.value.cost, refused.value.held) == (held + over, held)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"dispatched_at": None}, HoldStatus.HELD),
        ({"captured": NanoCredits(1)}, HoldStatus.CAPTURED),
        ({"released_for": ReleaseReason.PROVIDER_FAILED}, HoldStatus.RELEASED),
    ],
)
def test_only_a_dispatched_hold_that_has_not_ended_is_captured(facts: dict[str, object], status: HoldStatus):
    hold = open_hold(10, **facts)

    assert hold.status_at(NOON) is status
    with pytest.raises(HoldNotOpen):
        capture(hold, NanoCredits(1), NOON)


def test_a_lapsed_lease_makes_it_unresolved_and_late_evidence_still_counts():
    hold = open_hold(10)

    assert hold.status_at(hold.lease_until) is HoldStatus.UNRESOLVED
    assert capture(hold, NanoCredits(4), hold.lease_until).released == 6
