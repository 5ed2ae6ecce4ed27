"""What a JSON-RPC caller is told when a request fails, in geth's codes and words.

Clients decide by these words (``nonce too low``, ``already known``, ``insufficient funds``), so they are part of the
protocol, not of our own error tree.
"""

from __future__ import annotations

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
EXECUTION_REVERTED = 3


class RpcFault(Exception):
    """One JSON-RPC error object.

    ``payload`` goes into its ``data`` field: for a revert, the revert bytes as 0x-prefixed hex.
    """

    def __init__(self, code: int, message: str, payload: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.payload = payload

    def as_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.payload is not None:
            fields["data"] = self.payload
        return fields


def refused(message: str) -> RpcFault:
    """The node understood the request and will not do it."""
    return RpcFault(SERVER_ERROR, message)


def invalid_params(message: str) -> RpcFault:
    return RpcFault(INVALID_PARAMS, message)
