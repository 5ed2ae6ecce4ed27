"""JSON-RPC 2.0: bodies in, bodies out. The in-process provider and the HTTP server both speak through here."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from mintery.chain.devchain.faults import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    RpcFault,
)
from mintery.chain.devchain.methods import invoke
from mintery.chain.devchain.registry import Node

MAX_BATCH = 1000

log = logging.getLogger(__name__)


def parse_body(body: bytes) -> Any:
    """The request or the batch in ``body``.

    Raises:
        RpcFault: not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RpcFault(PARSE_ERROR, f"parse error: {error}") from error


def encode(answer: Any) -> bytes:
    """An answer's body; nothing to say (notifications only) is an empty one."""
    return b"" if answer is None else orjson.dumps(answer)


def answer(node: Node, request: Any) -> Any:
    """The response to a request, or to a batch, in its order; None if nothing wants one."""
    if not isinstance(request, list):
        return _answer_one(node, request)
    if not request:
        return failure(None, RpcFault(INVALID_REQUEST, "empty batch"))
    if len(request) > MAX_BATCH:
        return failure(None, RpcFault(INVALID_REQUEST, f"batch too large: {len(request)}, limit {MAX_BATCH}"))
    answers = [response for one in request if (response := _answer_one(node, one)) is not None]
    return answers or None


def failure(request_id: Any, fault: RpcFault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": fault.as_json()}


def _answer_one(node: Node, request: Any) -> dict[str, Any] | None:
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return failure(None, RpcFault(INVALID_REQUEST, "invalid request"))
    request_id = request.get("id")
    try:
        result = invoke(node, request["method"], request.get("params") or [])
    except RpcFault as fault:
        response = failure(request_id, fault)
    except Exception:
        # The process's edge: one bad request must not end a chain that others use.
        log.exception("method failed: %s", request["method"])
        response = failure(request_id, RpcFault(INTERNAL_ERROR, "internal error; the chain's log has the details"))
    else:
        response = {"jsonrpc": "2.0", "id": request_id, "result": result}
    return response if "id" in request else None
