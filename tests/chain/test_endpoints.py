"""Several endpoints as one: what a few of them get wrong is not believed, and what they leave out is found elsewhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.chain.conftest import Anvil
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from mintery.chain.devchain.chain import DevChain
from mintery.chain.endpoint import Endpoint, Request, Wire
from mintery.chain.endpoints import Endpoints
from mintery.chain.member import Fault
from mintery.chain.rpc import Call, Rpc, connect
from mintery.chain.sender import Sender
from mintery.crypto.keys import dev_key
from mintery.domain.voucher import Address
from mintery.errors import RpcRefused, RpcsDisagree, RpcUnavailable, TransactionReverted
from mintery.units import Wei

ESCROW = Address("0x" + "Ee" * 20)
HEAD = 20
REVERTED = RpcRefused("eth_estimateGas", 3, "execution reverted", "0x")
_CAPITAL = re.compile("([A-Z])")


def hash_of(number: int, fork: str = "aa") -> str:
    return "0x" + fork * 28 + f"{number:08x}"


@dataclass
class Node(Wire):
    """A node of one chain with one event in every block. What it gets wrong is in its fields."""

    url: str
    head: int = HEAD
    chain_id: int = 1
    genesis: str = "aa"
    fork: str = "aa"
    silent: bool = False
    leaves_out_logs: bool = False
    balance: int = 7
    gas: int | RpcRefused = 50_000
    tip: int = 9
    pending_time: int = 1_700_000_099
    nonce: int = 3
    mined: int | None = 5
    status: str = "0x1"
    counts_in_words: bool = False
    refuses: RpcRefused | None = None
    forgets_answer: bool = False
    taken: list[str] = field(default_factory=list)
    asked: int = 0

    def request_all(self, wanted: Sequence[Request]) -> list[Any | RpcRefused]:
        answers: list[Any | RpcRefused] = []
        for method, parameters in wanted:
            try:
                answers.append(self.request(method, *parameters))
            except RpcRefused as refused:
                answers.append(refused)
        return answers

    def request(self, method: str, *parameters: Any) -> Any:
        self.asked += 1
        if self.silent:
            raise RpcUnavailable(self.url, "no answer in time")
        return getattr(self, _CAPITAL.sub(r"_\1", method).lower())(*parameters)

    def eth_chain_id(self) -> str:
        return hex(self.chain_id)

    def eth_block_number(self) -> str:
        return "many" if self.counts_in_words else hex(self.head)

    def eth_get_block_by_number(self, name: str, _whole: bool) -> dict[str, str] | None:
        tags = {"latest": self.head, "finalized": max(0, self.head - 5)}
        if name == "pending":
            return {"number": hex(self.head + 1), "timestamp": hex(self.pending_time)}
        number = tags[name] if name in tags else int(name, 16)
        if number > self.head:
            return None
        fork = self.genesis if number == 0 else self.fork
        return {
            "number": hex(number),
            "hash": hash_of(number, fork),
            "parentHash": hash_of(max(0, number - 1), self.genesis if number == 1 else fork),
            "timestamp": hex(1_700_000_000 + number),
            "baseFeePerGas": "0x7",
            f"a field of {self.url} alone": "0x1",
        }

    def eth_get_logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        if self.leaves_out_logs:
            return []
        last = min(int(query["toBlock"], 16), self.head)
        return [self._log(number) for number in range(int(query["fromBlock"], 16), last + 1)]

    def _log(self, number: int) -> dict[str, Any]:
        return {
            "address": ESCROW, "topics": ["0x" + "11" * 32], "data": "0x", "blockNumber": hex(number),
            "blockHash": hash_of(number, self.fork), "transactionHash": "0x" + "22" * 32, "logIndex": "0x0",
        }  # fmt: skip

    def eth_get_balance(self, _address: str, pin: Any) -> str:
        return self._pinned(pin, hex(self.balance))

    def eth_call(self, _call: Any, pin: Any) -> str:
        return self._pinned(pin, f"0x{self.balance:064x}")

    def _pinned(self, pin: Any, answer: str) -> str:
        if isinstance(pin, dict) and pin["blockHash"] not in {hash_of(n, self.fork) for n in range(self.head + 1)}:
            raise RpcRefused("eth_call", -32_000, "header not found")
        return answer

    def eth_get_transaction_count(self, _address: str, _tag: str) -> str:
        return "many" if self.counts_in_words else hex(self.nonce)

    def eth_estimate_gas(self, _call: Any) -> str:
        if isinstance(self.gas, RpcRefused):
            raise self.gas
        return hex(self.gas)

    def eth_max_priority_fee_per_gas(self) -> str:
        return "many" if self.counts_in_words else hex(self.tip)

    def eth_get_transaction_by_hash(self, tx_hash: str) -> dict[str, str] | None:
        return {"hash": tx_hash} if tx_hash in self.taken else None

    def eth_get_transaction_receipt(self, tx_hash: str) -> dict[str, Any] | None:
        if self.mined is None or self.mined > self.head:
            return None
        return {
            "transactionHash": tx_hash, "blockNumber": hex(self.mined), "blockHash": hash_of(self.mined, self.fork),
            "gasUsed": "0x1", "effectiveGasPrice": "0x1", "status": self.status, "logs": [self._log(self.mined)],
        }  # fmt: skip

    def eth_send_raw_transaction(self, raw: str) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.taken.append(raw)
        if self.forgets_answer:
            raise RpcUnavailable(self.url, "no answer in time")
        return raw


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mintery.chain.endpoints._PAUSE", 0.0)


def three() -> list[Node]:
    return [Node("https://a"), Node("https://b"), Node("https://c")]


def over(nodes: Sequence[Node], clock: Clock, *, quorum: int | None = None) -> Rpc:
    return Rpc(Endpoints(nodes, quorum=quorum, clock=clock))


def faults(rpc: Rpc) -> dict[str, Fault]:
    return {fault.url: fault.fault for fault in rpc.look_after_endpoints()}


@pytest.mark.parametrize(("count", "quorum"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_half_of_them_must_say_the_same_unless_told_otherwise(count: int, quorum: int, clock: Clock):
    nodes = [Node(f"https://{index}") for index in range(count)]

    assert Endpoints(nodes, clock=clock).quorum == quorum


def test_nodes_of_different_makes_agree_on_what_is_read_of_them(clock: Clock):
    rpc = over(three(), clock)

    assert rpc.block().number == HEAD
    assert [block.number for block in rpc.blocks(3, 5)] == [3, 4, 5]
    assert len(rpc.logs(1, HEAD, [ESCROW])) == HEAD
    assert faults(rpc) == {}


def test_a_lagging_endpoint_is_passed_over_and_not_blamed(clock: Clock):
    nodes = three()
    nodes[0].head = HEAD - 6
    rpc = over(nodes, clock)

    head = rpc.block()

    assert head.number == HEAD
    assert rpc.balance(ESCROW, at=head) == 7
    assert len(rpc.logs(1, HEAD, [ESCROW])) == HEAD
    assert rpc.block("finalized").number == HEAD - 5
    assert faults(rpc) == {}


def test_the_head_is_one_that_a_quorum_has(clock: Clock):
    nodes = three()
    nodes[1].head = HEAD + 1_000_000

    assert over(nodes, clock).block().number == HEAD


def test_a_block_that_only_one_of_three_has_is_not_believed(clock: Clock):
    nodes = three()
    nodes[1].head = HEAD + 1

    with pytest.raises(RpcUnavailable, match=r"1 of 3 answer eth_getBlockByNumber 0x15; 2 must"):
        over(nodes, clock).block(HEAD + 1)


def test_one_that_leaves_out_events_is_named_and_put_aside_until_it_has_them(clock: Clock):
    nodes = three()
    rpc = over(nodes, clock)
    nodes[2].leaves_out_logs = True

    assert len(rpc.logs(1, HEAD, [ESCROW])) == HEAD
    ((url, fault),) = faults(rpc).items()
    assert (url, fault) == ("https://c", Fault.LIED)
    asked = nodes[2].asked
    rpc.logs(1, HEAD, [ESCROW])
    assert nodes[2].asked == asked

    nodes[2].leaves_out_logs = False
    assert faults(rpc) == {}
    rpc.logs(1, HEAD, [ESCROW])
    assert nodes[2].asked > asked + 4


def test_a_receipt_that_one_of_three_hides_or_makes_up_is_not_believed(clock: Clock):
    for wrong in ({"mined": None}, {"status": "0x0"}, {"mined": 4}, {"fork": "ff"}):
        nodes = three()
        rpc = over(nodes, clock)
        for name, value in wrong.items():
            setattr(nodes[0], name, value)

        receipt = rpc.agreed_receipt("0x" + "22" * 32, through=HEAD)

        assert receipt is not None
        assert (receipt.block, receipt.block_hash, receipt.succeeded) == (5, hash_of(5), True)
        assert faults(rpc) == {"https://a": Fault.LIED}


def test_a_receipt_that_only_one_of_three_has_is_none(clock: Clock):
    nodes = three()
    nodes[1].mined = nodes[2].mined = None

    assert over(nodes, clock).agreed_receipt("0x" + "22" * 32, through=HEAD) is None


def test_who_does_not_have_the_final_block_says_nothing_of_receipts(clock: Clock):
    """It would say that there is none, and be believed where it is asked alone."""
    nodes = three()
    nodes[0].head = nodes[1].head = 4

    with pytest.raises(RpcUnavailable):
        over(nodes, clock).agreed_receipt("0x" + "22" * 32, through=HEAD)
    with pytest.raises(RpcUnavailable):
        Rpc(nodes[0]).agreed_receipt("0x" + "22" * 32, through=HEAD)
    beyond = Rpc(Node("https://a", mined=HEAD)).agreed_receipt("0x" + "22" * 32, through=HEAD - 1)
    assert beyond is None


def test_one_with_another_block_hash_is_named(clock: Clock):
    nodes = three()
    rpc = over(nodes, clock)
    nodes[0].fork = "ff"

    assert rpc.block("finalized").hash == hash_of(HEAD - 5)
    assert faults(rpc) == {"https://a": Fault.LIED}


def test_of_two_that_say_different_things_neither_is_believed(clock: Clock):
    nodes = three()[:2]
    rpc = over(nodes, clock)
    nodes[1].leaves_out_logs = True

    with pytest.raises(RpcsDisagree, match="https://a and https://b disagree about eth_getLogs"):
        rpc.logs(1, HEAD, [ESCROW])


def test_what_differs_only_for_a_moment_is_asked_for_again(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    nodes = three()[:2]
    rpc = over(nodes, clock)
    nodes[1].fork = "ff"

    def pass_over(_seconds: float) -> None:
        nodes[1].fork = "aa"

    monkeypatch.setattr("time.sleep", pass_over)

    assert rpc.block(HEAD).hash == hash_of(HEAD)
    assert faults(rpc) == {}


@pytest.mark.parametrize("wrong", [{"chain_id": 5}, {"genesis": "bb"}], ids=["chain id", "genesis"])
def test_one_of_another_chain_is_put_aside_at_once(wrong: dict[str, Any], clock: Clock):
    nodes = three()
    for name, value in wrong.items():
        setattr(nodes[0], name, value)

    rpc = over(nodes, clock)

    assert (rpc.chain_id, rpc.genesis_hash) == (1, hash_of(0))
    assert faults(rpc) == {"https://a": Fault.OTHER_CHAIN}


def test_one_that_came_back_as_another_chain_is_not_believed(clock: Clock):
    """Its name now leads to another network's node, which knows no event of ours."""
    nodes = three()[:2]
    rpc = over(nodes, clock)
    nodes[0].silent = True
    rpc.block()
    nodes[0].silent, nodes[0].chain_id, nodes[0].leaves_out_logs = False, 5, True
    clock.now += 2

    assert len(rpc.logs(1, HEAD, [ESCROW])) == HEAD
    assert faults(rpc) == {"https://a": Fault.OTHER_CHAIN}


def test_identity_is_asked_for_again_now_and_then(clock: Clock):
    nodes = three()[:2]
    rpc = over(nodes, clock)
    nodes[1].chain_id = 5
    rpc.block()
    clock.now += 61

    rpc.block()

    assert faults(rpc) == {"https://b": Fault.OTHER_CHAIN}


def test_two_chains_and_no_majority_is_no_start(clock: Clock):
    nodes = three()[:2]
    nodes[1].chain_id = 5

    with pytest.raises(RpcsDisagree, match="which chain this is"):
        over(nodes, clock)


def test_a_silent_one_is_passed_over_and_comes_back(clock: Clock):
    nodes = three()
    rpc = over(nodes, clock)
    nodes[0].silent = True
    rpc.block()
    asked = nodes[0].asked
    rpc.block()
    assert nodes[0].asked == asked, "it is left alone for a while"
    assert faults(rpc) == {"https://a": Fault.SILENT}

    nodes[0].silent = False
    clock.now += 60
    rpc.block()

    assert nodes[0].asked > asked
    assert faults(rpc) == {}


def test_one_of_two_is_enough_while_the_other_is_away(clock: Clock):
    nodes = three()[:2]
    rpc = over(nodes, clock)
    nodes[0].silent = True

    assert rpc.block().number == HEAD
    assert rpc.balance(ESCROW) == 7


def test_too_few_are_no_answer_and_say_why(clock: Clock):
    nodes = three()
    rpc = over(nodes, clock)
    nodes[0].silent = nodes[1].silent = True

    with pytest.raises(RpcUnavailable, match="no answer in time"):
        rpc.block()
    nodes[1].silent = False
    assert rpc.block().number == HEAD, "silent ones are asked at once when too few are left"


def test_a_broadcast_goes_to_all(clock: Clock):
    nodes = three()
    nodes[0].refuses = RpcRefused("eth_sendRawTransaction", -32_000, "nonce too low")
    nodes[1].forgets_answer = True
    rpc = over(nodes, clock)

    rpc.broadcast(b"\x02\x01")

    assert [node.taken for node in nodes] == [[], ["0x0201"], ["0x0201"]]
    assert rpc.knows("0x0201")


def test_a_broadcast_that_all_refuse_keeps_the_words(clock: Clock):
    nodes = three()
    for node in nodes:
        node.refuses = RpcRefused("eth_sendRawTransaction", -32_000, "insufficient funds for gas * price + value")

    with pytest.raises(RpcRefused, match="insufficient funds"):
        over(nodes, clock).broadcast(b"\x02\x01")


def test_a_nonce_is_one_that_a_quorum_has_reached(clock: Clock):
    nodes = three()
    nodes[0].nonce, nodes[1].nonce = 99, 2

    assert over(nodes, clock).nonce(ESCROW, "pending") == 3


def test_one_that_counts_in_words_is_passed_over(clock: Clock):
    nodes = three()
    nodes[0].counts_in_words = True
    rpc = over(nodes, clock)

    assert rpc.nonce(ESCROW, "pending") == 3
    assert len(rpc.logs(1, HEAD, [ESCROW])) == HEAD


def test_one_that_boasts_of_a_head_that_no_other_has_is_not_asked_first(clock: Clock):
    nodes = three()
    nodes[2].head = HEAD + 1_000_000
    nodes[2].balance = 10**6
    rpc = over(nodes, clock)
    rpc.block()

    assert rpc.call(Call("read", ESCROW, b"")) == (7).to_bytes(32, "big")


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": 0, "jsonrpc": "2.0"}, {"id": 1, "jsonrpc": "2.0"}],
        [{"id": 0, "error": {"code": 1}}, {"id": 1, "error": "no"}],
        ["0x1", None],
        {"id": 0},
        {"error": None},
    ],
    ids=["neither result nor error", "errors of no kind", "no objects", "one without an error", "an error of nothing"],
)
def test_a_batch_answered_with_no_json_rpc_is_no_answer(answer: Any):
    class Provider(JSONBaseProvider):
        def make_batch_request(self, _requests: list[tuple[RPCEndpoint, Any]]) -> Any:
            return answer

    with pytest.raises(RpcUnavailable, match="no JSON-RPC"):
        Endpoint(Provider(), "https://a").request_all([("eth_blockNumber", []), ("eth_chainId", [])])


def test_no_key_is_ever_shown():
    with pytest.raises(RpcUnavailable) as raised:
        connect("http://127.0.0.1:1/v3/secret-one, http://user:secret-two@127.0.0.1:1/", timeout=0.5)

    assert "secret" not in str(raised.value)
    assert raised.value.url == "http://127.0.0.1:1/…, http://127.0.0.1:1"


def test_two_keys_of_one_host_are_told_apart(clock: Clock):
    nodes = [Node("https://rpc.example/…"), Node("https://rpc.example/…"), Node("https://other")]
    nodes[1].chain_id = 5

    assert list(faults(over(nodes, clock))) == ["https://rpc.example/… (number 2)"]


def test_a_guess_is_the_one_in_the_middle(clock: Clock):
    nodes = three()
    for node, gas, tip in zip(nodes, (90_000, 30_000, 60_000), (5, 1, 10**15), strict=True):
        node.gas, node.tip = gas, tip
    rpc = over(nodes, clock)
    write = Call("write", ESCROW, b"")

    assert (rpc.estimate(write, ESCROW), rpc.priority_fee()) == (60_000, 5)
    nodes[2].silent = True
    assert (rpc.estimate(write, ESCROW), rpc.priority_fee()) == (90_000, 1)  # gas that is left over costs nothing
    nodes[2].silent = False


def test_a_call_reverts_when_most_say_so(clock: Clock):
    nodes = three()
    rpc = over(nodes, clock)
    nodes[0].gas = REVERTED
    assert rpc.estimate(Call("write", ESCROW, b""), ESCROW) == 50_000

    nodes[1].gas = REVERTED
    with pytest.raises(TransactionReverted):
        rpc.estimate(Call("write", ESCROW, b""), ESCROW)


@given(
    liar=st.integers(0, 2),
    lies=st.fixed_dictionaries(
        {},
        optional={
            "head": st.integers(0, 2 * HEAD),
            "fork": st.sampled_from(["aa", "ff"]),
            "leaves_out_logs": st.booleans(),
            "balance": st.integers(0, 10**6),
            "gas": st.integers(0, 10**9) | st.just(REVERTED),
            "tip": st.integers(0, 10**18),
            "pending_time": st.integers(0, 2**40),
            "nonce": st.integers(0, 10),
            "mined": st.none() | st.integers(0, HEAD),
            "status": st.sampled_from(["0x0", "0x1"]),
            "counts_in_words": st.booleans(),
            "silent": st.booleans(),
        },
    ),
)
def test_whatever_one_of_three_says_the_answers_are_the_chains(liar: int, lies: dict[str, Any]):
    nodes = three()
    rpc = over(nodes, Clock())
    for name, value in lies.items():
        setattr(nodes[liar], name, value)

    head = rpc.block()

    assert (head.number, head.hash) == (HEAD, hash_of(HEAD))
    assert rpc.block("finalized").hash == hash_of(HEAD - 5)
    assert [log.block_hash for log in rpc.logs(1, HEAD, [ESCROW])] == [hash_of(n) for n in range(1, HEAD + 1)]
    receipt = rpc.agreed_receipt("0x" + "22" * 32, through=HEAD)
    assert receipt is not None
    assert (receipt.block_hash, receipt.succeeded) == (hash_of(5), True)
    assert rpc.balance(ESCROW, at=head) == 7
    assert rpc.call_all([Call("read", ESCROW, b"")], at=head) == [(7).to_bytes(32, "big")]
    assert rpc.estimate(Call("write", ESCROW, b""), ESCROW) == 50_000
    assert rpc.priority_fee() == 9
    assert int(rpc.request("eth_getBlockByNumber", "pending", False)["timestamp"], 16) == 1_700_000_099


def test_a_transaction_through_three_real_endpoints():
    with DevChain() as devchain:
        rpc = Rpc(Endpoints([Endpoint(devchain.provider(), name) for name in "abc"]))
        sender = Sender(rpc, dev_key(0))

        receipt = sender.send(Call("pay", dev_key(1).address, b"", value=Wei(1)))

        assert rpc.block(receipt.block).hash == receipt.block_hash
        assert rpc.nonce(sender.address, hex(receipt.block)) == 1
        assert rpc.look_after_endpoints() == ()


def test_two_anvils_are_two_chains(anvil: str):
    other = Anvil("--chain-id", "5")
    try:
        with pytest.raises(RpcsDisagree):
            connect([anvil, other.url])
    finally:
        other.close()
