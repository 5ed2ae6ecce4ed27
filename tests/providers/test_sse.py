from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.providers.sse import EventSplitter, EventTooLong, event_of, event_payload

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from([b"data: {}", b"data: [DONE]", b": keep-alive", b"event: x", b"data:a", "data: ü€".encode()])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, int]:
    """A stream of whole events with one kind of line end, and how many they are."""
    end = draw(ENDS)
    events = draw(st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=6))
    return b"".join(end.join(lines) + end + end for lines in events), len(events)


@given(stream=streams(), tail=st.sampled_from([b"", b"data: unfini"]), cuts=st.lists(st.integers(0, 200), max_size=20))
def test_however_bytes_arrive_the_events_are_the_same(stream: tuple[bytes, int], tail: bytes, cuts: list[int]):
    whole, count = stream
    arriving = whole + tail
    splitter = EventSplitter(10_000)
    events = []
    bounds = [0, *sorted(min(cut, len(arriving)) for cut in cuts), len(arriving)]
    for start, stop in pairwise(bounds):
        events += splitter.feed(arriving[start:stop])

    assert b"".join(events) + splitter.rest() == arriving
    waits_for_its_line_feed = whole.endswith(b"\r") and not tail
    assert len(events) == count - (1 if waits_for_its_line_feed else 0)


def test_one_crlf_ends_no_event():
    splitter = EventSplitter(100)
    assert splitter.feed(b"data: 1\r\ndata: 2\r\n\r\n") == [b"data: 1\r\ndata: 2\r\n\r\n"]


def test_an_event_has_a_limit():
    splitter = EventSplitter(10)
    assert splitter.feed(b"data: 1\n\ndata: 2\n\n") == [b"data: 1\n\n", b"data: 2\n\n"]
    with pytest.raises(EventTooLong):
        splitter.feed(b"data: 3" * 5)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\r\ndata:  b\r\n\r\n", b"a\n b"),
        (b": comment\n\n", None),
        (b"event: x\nid: 1\n\n", None),
        (event_of(b'{"a":1}'), b'{"a":1}'),
    ],
)
def test_payloads(event: bytes, payload: bytes | None):
    assert event_payload(event) == payload
