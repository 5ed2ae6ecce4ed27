from hypothesis import given
from hypothesis import strategies as st

from mintery.chain.devchain.logs import LogEntry, LogIndex, LogQuery

ADDRESSES = [bytes([mark]) * 20 for mark in range(3)]
TOPICS = [bytes([mark]) * 32 for mark in range(3)]

topic_sets = st.frozensets(st.sampled_from(TOPICS), max_size=2)


def entry(block: int, index: int, address: bytes, topics: tuple[bytes, ...]) -> LogEntry:
    return LogEntry(address, topics, b"", block, bytes(32), 0, bytes(32), index)


@st.composite
def histories(draw: st.DrawFn) -> list[LogEntry]:
    blocks = sorted(draw(st.lists(st.integers(1, 12), max_size=30)))
    return [
        entry(
            block,
            place,
            draw(st.sampled_from(ADDRESSES)),
            tuple(draw(st.lists(st.sampled_from(TOPICS), max_size=4))),
        )
        for place, block in enumerate(blocks)
    ]


queries = st.builds(
    LogQuery,
    first=st.integers(0, 13),
    last=st.integers(0, 13),
    addresses=st.frozensets(st.sampled_from(ADDRESSES), max_size=2),
    topics=st.lists(topic_sets, max_size=4).map(tuple),
)


def matches(query: LogQuery, one: LogEntry) -> bool:
    """eth_getLogs as the specification words it."""
    if not query.first <= one.block_number <= query.last:
        return False
    if query.addresses and one.address not in query.addresses:
        return False
    if len(query.topics) > len(one.topics):
        return False
    return all(
        not query.topics[place] or one.topics[place] in query.topics[place] for place in range(len(query.topics))
    )


@given(histories(), st.lists(queries, min_size=1, max_size=5), st.integers(0, 13))
def test_the_index_finds_what_a_full_scan_finds_also_after_a_revert(
    history: list[LogEntry], asked: list[LogQuery], head: int
):
    index = LogIndex()
    for one in history:
        index.append(one)
    for query in asked:
        assert list(index.search(query)) == [one for one in history if matches(query, one)]

    index.truncate(head)
    kept = [one for one in history if one.block_number <= head]
    for query in asked:
        assert list(index.search(query)) == [one for one in kept if matches(query, one)]
    for block in range(14):
        assert list(index.of_block(block)) == [one for one in kept if one.block_number == block]
