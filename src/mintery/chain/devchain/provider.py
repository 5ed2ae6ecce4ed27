"""web3.py's door to a chain in the same process. Bodies are the same bytes as over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse


class DevChainProvider(JSONBaseProvider):
    """A synchronous web3.py provider over ``answer``, which turns a request body into a response body."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._answer = answer

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return self.decode_rpc_response(self._answer(self.encode_rpc_request(method, params)))

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        answers: Any = self.decode_rpc_response(self._answer(self.encode_batch_rpc_request(requests)))
        return sorted(answers, key=_id_of) if isinstance(answers, list) else answers


def _id_of(response: Any) -> int:
    return int(response["id"])
