"""One rpc endpoint of the world's chain: honest JSON-RPC over HTTP, but for the trouble that it is told to make."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from tests.faults.chain import WorldChain
from tests.faults.evm import storage_root, stored, watching
from tests.faults.http import Asked
from tests.faults.scenario import Mischief, Trouble

from mintery.chain.devchain import rpc as devchain_rpc
from mintery.chain.devchain.blocks import MinedBlock
from mintery.chain.devchain.codec import hex_bytes, parse_address, parse_block_ref, parse_bytes
from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.execution import output_of, run
from mintery.chain.devchain.faults import RpcFault, refused
from mintery.chain.devchain.requests import parse_message
from mintery.chain.devchain.views import transaction_view

_AT_THE_CONNECTION = frozenset(
    {Mischief.SILENT_AFTER, Mischief.SILENT_BEFORE, Mischief.STALLS, Mischief.ERROR, Mischief.HTTP_ERROR}
)
_HEADS = frozenset({"latest", "safe", "finalized"})


@dataclass(frozen=True, slots=True)
class Read:
    """What a call read of one account's storage. ``roots``: of storage that is known to hold all of it."""

    address: bytes
    slots: Mapping[int, int]
    roots: set[bytes]


@dataclass(frozen=True, slots=True)
class Known:
    """What a call returned: it does so again where all that it read is the same, and at ``block`` alone where it asked for
    the time.
    """

    result: str
    reads: tuple[Read, ...]
    block: bytes | None


_ABOUT_SECONDS = 20
"""An estimate of one head is made anew after so long: what it runs may ask for the time."""
Memo = MutableMapping[bytes, list[Known]]
"""Results by the call."""


@dataclass(slots=True)
class _Standing:
    trouble: Trouble
    spared: int
    left: int


@dataclass
class Endpoint:
    chain: WorldChain
    memo: Memo
    say: Callable[[str], None]
    on_transaction: Callable[[bytes], None] = lambda _: None
    """Called with each raw transaction that arrives, before anything becomes of it."""
    lag: int = 0
    standing: list[_Standing] = field(default_factory=list)
    _roots: dict[tuple[bytes, bytes], bytes] = field(default_factory=dict)
    """Of each account's storage, by the state's own root."""
    _gas: dict[tuple[bytes, int, bytes], int | RpcFault] = field(default_factory=dict)
    """What calls need, by the head's hash, about when, and the call."""
    _views: dict[tuple[bytes, bool], Any] = field(default_factory=dict)

    def make(self, trouble: Trouble) -> None:
        if trouble.mischief is Mischief.LAGS:
            self.lag = trouble.blocks
        self.standing.append(_Standing(trouble, trouble.spared, trouble.count))

    def heal(self) -> None:
        self.standing.clear()
        self.lag = 0

    async def answer(self, asked: Asked) -> None:
        request = orjson.loads(asked.body)
        every = request if isinstance(request, list) else [request]
        mischief = next((found for one in every if (found := self._due(one["method"]))), None)
        if mischief is not None:
            self.say(f"rpc {mischief}: {', '.join(one['method'] for one in every[:3])}")
        match mischief:
            case Mischief.SILENT_BEFORE:
                asked.cut()
                return
            case Mischief.HTTP_ERROR:
                asked.reply(b"busy", status=503, kind="text/plain")
                return
            case Mischief.ERROR:
                fault = RpcFault(-32_000, "the harness says no")
                asked.reply(orjson.dumps(devchain_rpc.failure(every[0].get("id"), fault)))
                return
            case _:
                answers = [self._answer_one(one, mischief) for one in every]
        if mischief is Mischief.SILENT_AFTER:
            asked.cut()
        elif mischief is Mischief.STALLS:
            await asked.hang()
        else:
            asked.reply(orjson.dumps(answers if isinstance(request, list) else answers[0]))

    def _due(self, method: str) -> Mischief | None:
        for one in [*self.standing]:
            if one.trouble.method not in {"", method}:
                continue
            if one.spared:
                one.spared -= 1
                continue
            one.left -= 1
            if not one.left:
                self.standing.remove(one)
                if one.trouble.mischief is Mischief.LAGS:
                    self.lag = 0
            return one.trouble.mischief
        return None

    def _answer_one(self, request: Any, mischief: Mischief | None) -> Any:
        method, params = request["method"], request.get("params") or []
        if method == "eth_chainId" and mischief is Mischief.WRONG_CHAIN:
            return {"jsonrpc": "2.0", "id": request["id"], "result": "0x1"}
        if method == "eth_getLogs" and mischief is Mischief.EMPTY_LOGS and "blockHash" not in params[0]:
            return {"jsonrpc": "2.0", "id": request["id"], "result": []}
        try:
            return {"jsonrpc": "2.0", "id": request["id"], "result": self._result(method, params)}
        except RpcFault as fault:
            return devchain_rpc.failure(request["id"], fault)

    def _result(self, method: str, params: list[Any]) -> Any:  # noqa: C901, PLR0911 -- one flat table
        chain = self.chain
        match method:
            case "eth_sendRawTransaction":
                raw = parse_bytes(params[0], "raw transaction")
                self.on_transaction(raw)
                sent = hex_bytes(chain.submit(raw))
                self.say(f"rpc took transaction {sent[:12]}")
                return sent
            case "eth_getTransactionCount" if params[1:] == ["pending"]:
                return hex(chain.pending_nonce(parse_address(params[0])))
            case "eth_getTransactionByHash":
                waiting = chain.pool.get(parse_bytes(params[0], "hash"))
                if waiting is not None:
                    return transaction_view(waiting.signed, waiting.sender)
                return self._visible(self._invoke(method, params))
            case "eth_getTransactionReceipt":
                return self._visible(self._invoke(method, params))
            case "eth_getBlockByNumber":
                return self._block(params)
            case "eth_blockNumber":
                return hex(self._head)
            case "eth_call":
                return self._remembered(params)
            case "eth_estimateGas":
                return self._estimate(params)
            case "eth_getLogs":
                return self._logs(params)
            case _:
                return self._invoke(method, [self._tag(one) for one in params])

    @property
    def _head(self) -> int:
        return max(0, self.chain.head.number - self.lag)

    def _tag(self, value: Any) -> Any:
        return hex(self._head) if self.lag and isinstance(value, str) and value in {*_HEADS, "pending"} else value

    def _visible(self, fields: Any) -> Any:
        """A node that lags has not heard of newer blocks."""
        if fields is None or fields.get("blockNumber") is None or int(fields["blockNumber"], 16) <= self._head:
            return fields
        return None

    def _block(self, params: list[Any]) -> Any:
        fields = self._view([self._tag(params[0]), *params[1:]])
        if fields is None or (fields["number"] is not None and int(fields["number"], 16) > self._head + 1):
            return None
        if params[0] not in {*_HEADS, "pending"} and int(fields["number"], 16) > self._head:
            return None
        if self.chain.fee_factor != 1 and params[0] in {*_HEADS, "pending"}:
            fields = {**fields, "baseFeePerGas": hex(int(fields["baseFeePerGas"], 16) * self.chain.fee_factor)}
        return fields

    def _view(self, params: list[Any]) -> Any:
        blocks = self.chain.node.engine.blocks
        at, full = params[0], bool(params[1:] and params[1])
        if at == "pending":
            return self._invoke("eth_getBlockByNumber", params)
        block = blocks.head if at in _HEADS else blocks.find(parse_block_ref(at))
        if block is None:
            return None
        if (block.hash, full) not in self._views:
            self._views[block.hash, full] = self._invoke("eth_getBlockByNumber", params)
        return self._views[block.hash, full]

    def _remembered(self, params: list[Any]) -> Any:
        params = [self._tag(one) for one in params]
        block = self._block_of(params[1] if len(params) > 1 else "latest")
        if block is None:
            return self._invoke("eth_call", params)
        call = orjson.dumps(params[0], option=orjson.OPT_SORT_KEYS)
        engine = self.chain.node.engine
        for known in self.memo.setdefault(call, []):
            if self._holds(known, block):
                return known.result
        with watching() as looks:
            outcome = run(engine.transaction_builder, engine.state_at(block.header), parse_message(params[0]))
        result = hex_bytes(output_of(outcome))
        reads = tuple(
            Read(address, slots, {self._storage_root(block, address)}) for address, slots in looks.slots.items()
        )
        self.memo[call].append(Known(result, reads, block.hash if looks.time else None))
        return result

    def _holds(self, known: Known, block: MinedBlock) -> bool:
        if known.block is not None:
            return known.block == block.hash
        return all(self._reads_the_same(read, block) for read in known.reads)

    def _reads_the_same(self, read: Read, block: MinedBlock) -> bool:
        root = self._storage_root(block, read.address)
        if root in read.roots:
            return True
        state = self.chain.node.engine.state_at(block.header)
        same = all(stored(state, read.address, slot) == value for slot, value in read.slots.items())
        if same:
            read.roots.add(root)
        return same

    def _storage_root(self, block: MinedBlock, address: bytes) -> bytes:
        key = (bytes(block.header.state_root), address)
        if key not in self._roots:
            self._roots[key] = storage_root(self.chain.node.engine.state_at(block.header), address)
        return self._roots[key]

    def _block_of(self, at: Any) -> MinedBlock | None:
        """The block that a call is made at, where its result can be told by that."""
        if isinstance(at, dict):
            block = self.chain.node.engine.blocks.with_hash(bytes.fromhex(at["blockHash"][2:]))
            if block is None or block.number > self._head:
                raise refused("header for hash not found")
            return block
        return self.chain.head if at == "latest" else None

    def _estimate(self, params: list[Any]) -> str:
        """At most one execution where the dev chain's own estimate takes several: every run makes a dozen."""
        engine = self.chain.node.engine
        header = engine.next_header()
        wanted = (
            self.chain.head.hash,
            header.timestamp // _ABOUT_SECONDS,
            orjson.dumps(params[0], option=orjson.OPT_SORT_KEYS),
        )
        if wanted not in self._gas:
            self._gas[wanted] = _gas_needed(engine, header, params[0])
        gas = self._gas[wanted]
        if isinstance(gas, RpcFault):
            raise gas
        return hex((gas + 2_300) * 65 // 63)

    def _logs(self, params: list[Any]) -> Any:
        query = dict(params[0])
        if "toBlock" in query and int(query["toBlock"], 16) > self._head:
            query["toBlock"] = hex(self._head)
            if int(query["fromBlock"], 16) > self._head:
                return []
        return self._invoke("eth_getLogs", [query])

    def _invoke(self, method: str, params: list[Any]) -> Any:
        answer = devchain_rpc.answer(self.chain.node, {"id": 0, "method": method, "params": params})
        if "error" in answer:
            fault = answer["error"]
            raise RpcFault(fault["code"], fault["message"], fault.get("data"))
        return answer["result"]


def _gas_needed(engine: Engine, header: Any, message: Any) -> int | RpcFault:
    try:
        outcome = run(engine.transaction_builder, engine.state_at(header), parse_message(message))
        output_of(outcome)
    except RpcFault as fault:
        return fault
    return outcome.gas_limit_used
