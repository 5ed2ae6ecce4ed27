"""The table of JSON-RPC methods. Each file under ``methods`` registers its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.faults import METHOD_NOT_FOUND, RpcFault, invalid_params
from mintery.chain.devchain.filters import Filters
from mintery.chain.devchain.pool import Pool


@dataclass(frozen=True, slots=True)
class Node:
    """What a method works on. Used from the executor thread only."""

    engine: Engine
    pool: Pool
    filters: Filters


Method = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Registered:
    call: Method
    least: int
    most: int


METHODS: dict[str, Registered] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Register a function of (node, *params); its signature says how many parameters are required and allowed."""

    def register(call: Method) -> Method:
        params = list(inspect.signature(call).parameters.values())[1:]
        required = [param for param in params if param.default is inspect.Parameter.empty]
        METHODS[name] = Registered(call, len(required), len(params))
        return call

    return register


def invoke(node: Node, name: str, params: Any) -> Any:
    """Run one method.

    Raises:
        RpcFault: unknown method, wrong parameters, or what the method itself refuses.
    """
    registered = METHODS.get(name)
    if registered is None:
        raise RpcFault(METHOD_NOT_FOUND, f"the method {name} does not exist/is not available")
    if not isinstance(params, list):
        raise invalid_params("params must be a list")
    if len(params) < registered.least:
        raise invalid_params(f"missing value for required argument {len(params)}")
    if len(params) > registered.most:
        raise invalid_params(f"too many arguments, want at most {registered.most}")
    return registered.call(node, *params)
