"""Which reads several endpoints must agree on, and what it means that two answers are the same.

Nodes of different makes add fields of their own to a block or a log, so answers are compared as what is read of them.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from mintery.chain.endpoint import Request
from mintery.chain.wire import parse_block, parse_log, parse_receipt
from mintery.errors import RpcRefused


class Policy(Enum):
    """How a request is put to several endpoints."""

    AGREED = auto()
    """To all, and a quorum must say the same: what is fixed once the block is there."""
    NEWEST = auto()
    """The newest block of its kind (latest, safe, finalized) that a quorum has."""
    COUNT = auto()
    """A number that only grows: the highest that a quorum has reached."""
    FOUND = auto()
    """By hash: whoever has it answers, as nothing can be found under a hash that is not it."""
    EVERY = auto()
    """To all; one that takes it is enough."""
    MIDDLE = auto()
    """To all, and the one in the middle: what each can only guess (gas, a tip, the next block's time), so that one that lies
    moves it no further than another has it."""
    FIRST = auto()
    """The first that answers: what is only tried (a simulation at the head)."""


_TAGS = frozenset({"latest", "safe", "finalized"})
_PINNED_AT: Mapping[str, int] = {
    "eth_call": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getStorageAt": 2,
    "eth_getTransactionCount": 1,
}
"""Where each of these has its block among its parameters."""


def policy_of(method: str, parameters: Sequence[Any]) -> Policy:  # noqa: PLR0911 -- one return for each row of a table
    match method:
        case "eth_sendRawTransaction":
            return Policy.EVERY
        case "eth_getTransactionByHash" | "eth_getTransactionReceipt":
            return Policy.FOUND
        case "eth_getBlockByNumber" if parameters[0] in _TAGS:
            return Policy.NEWEST
        case "eth_getBlockByNumber":
            return Policy.MIDDLE if parameters[0] == "pending" else Policy.AGREED
        case "eth_estimateGas" | "eth_maxPriorityFeePerGas":
            return Policy.MIDDLE
        case "eth_blockNumber":
            return Policy.COUNT
        case "eth_chainId" | "eth_getBlockByHash" | "eth_getLogs":
            return Policy.AGREED
        case "eth_getTransactionCount" if isinstance(parameters[1], str) and not parameters[1].startswith("0x"):
            return Policy.COUNT
        case _ if method in _PINNED_AT and _is_pinned(parameters, _PINNED_AT[method]):
            return Policy.AGREED
        case _:
            return Policy.FIRST


def _is_pinned(parameters: Sequence[Any], place: int) -> bool:
    """To a block by number or hash, and not to a tag, which each endpoint reads in its own way."""
    if len(parameters) <= place:
        return False
    pin = parameters[place]
    return not isinstance(pin, str) or pin.startswith("0x")


def says_nothing(method: str, answer: Any) -> bool:
    """Whether an answer tells nothing of the chain: the endpoint does not have the block (yet, or any more), or refuses
    the request itself. What a contract reverted with does tell.
    """
    if isinstance(answer, RpcRefused):
        return not isinstance(answer.payload, str) and "revert" not in answer.message.lower()
    return answer is None and method in {"eth_getBlockByNumber", "eth_getBlockByHash"}


def sameness(method: str, answer: Any) -> Hashable:
    """Equal for answers that say the same.

    Raises:
        ValueError, KeyError, TypeError: it is no answer to such a request.
    """
    if isinstance(answer, RpcRefused):
        # Nodes word a revert in their own ways; its bytes are the contract's.
        return ("refused", answer.payload if isinstance(answer.payload, str) else None)
    return _NORMAL.get(method, _plain)(answer)


def _plain(answer: Any) -> Hashable:
    return answer.lower() if isinstance(answer, str) else repr(answer)


def _block(fields: Any) -> Hashable:
    return None if fields is None else parse_block(fields)


def _logs(listed: Any) -> Hashable:
    return tuple(sorted(map(parse_log, listed), key=lambda log: (log.block, log.index)))


def _receipt(fields: Any) -> Hashable:
    return None if fields is None else parse_receipt(fields)


def _number(text: Any) -> Hashable:
    return int(text, 16)


_NORMAL: Mapping[str, Callable[[Any], Hashable]] = {
    "eth_getBlockByNumber": _block,
    "eth_getBlockByHash": _block,
    "eth_getLogs": _logs,
    "eth_getTransactionReceipt": _receipt,
    "eth_getBalance": _number,
    "eth_getTransactionCount": _number,
    "eth_chainId": _number,
}


def guess_of(method: str, answer: Any) -> int | None:
    """What an endpoint guesses, to be ranked with the others'; None where it is nothing of the kind."""
    try:
        return int(answer["timestamp"] if method == "eth_getBlockByNumber" else answer, 16)
    except (TypeError, ValueError, KeyError):
        return None


def middle_place(method: str, count: int) -> int:
    """Of so many guesses in order. Between two the gas is the higher one, for too little burns it all; the rest the lower."""
    return count >> 1 if method == "eth_estimateGas" else (count - 1) >> 1


def needed_block(wanted: Sequence[Request]) -> int:
    """The highest block that requests for ranges of events need: one without it answers with less, and no error."""
    ends = [parameters[0].get("toBlock", "0x0") for method, parameters in wanted if method == "eth_getLogs"]
    return max((int(end, 16) for end in ends if end.startswith("0x")), default=0)
