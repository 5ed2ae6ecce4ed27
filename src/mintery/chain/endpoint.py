"""One JSON-RPC endpoint: requests out, results or errors back, as they are on the wire."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

from mintery.errors import RpcRefused, RpcUnavailable

DEFAULT_TIMEOUT = 10.0
REQUESTS_IN_ONE = 100
"""How many a batch carries; hosted endpoints take no more."""
_NO_ANSWER = (Web3Exception, requests.RequestException, OSError, ValueError)
_MALFORMED = (TypeError, KeyError, AttributeError)

Request = tuple[str, list[Any]]
"""A method and its parameters."""


class Wire(Protocol):
    """What answers JSON-RPC. ``url`` is for messages and shows no key."""

    url: str

    def request(self, method: str, *parameters: Any) -> Any:
        """The JSON result of one request.

        Raises:
            RpcUnavailable: no answer.
            RpcRefused: the answer is an error.
        """

    def request_all(self, wanted: Sequence[Request]) -> list[Any | RpcRefused]:
        """The results of many requests in few round trips; refusals stand in their places.

        Raises:
            RpcUnavailable: no answer.
            RpcRefused: the endpoint takes no batches.
        """


class Endpoint(Wire):
    """One endpoint behind a web3 provider. Making it opens no connection."""

    def __init__(self, provider: JSONBaseProvider, url: str) -> None:
        self.url = url
        # The provider's JSON is read here and nowhere else, so web3's rewriting layers are left out.
        self._provider = provider
        self._requests = Web3(provider, middleware=[]).manager

    @classmethod
    def at(cls, url: str, *, timeout: float = DEFAULT_TIMEOUT) -> "Endpoint":
        """By URL. ``timeout``: the longest wait for one answer, seconds."""
        # No retries here: jobs retry as a whole, and a dead endpoint must show at once.
        provider = HTTPProvider(url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
        return cls(provider, without_secrets(url))

    def request(self, method: str, *parameters: Any) -> Any:
        try:
            return self._requests.request_blocking(RPCEndpoint(method), list(parameters))
        except Web3RPCError as error:
            fault = (error.rpc_response or {}).get("error")
            if not isinstance(fault, dict):
                raise RpcUnavailable(self.url, type(error).__name__) from None
            raise _refused(method, fault) from None
        except _NO_ANSWER as error:
            raise RpcUnavailable(self.url, _why(error)) from None

    def request_all(self, wanted: Sequence[Request]) -> list[Any | RpcRefused]:
        chunks = range(0, len(wanted), REQUESTS_IN_ONE)
        return [result for start in chunks for result in self._batch(wanted[start : start + REQUESTS_IN_ONE])]

    def _batch(self, wanted: Sequence[Request]) -> list[Any | RpcRefused]:
        try:
            answers: Any = self._provider.make_batch_request([(RPCEndpoint(m), parameters) for m, parameters in wanted])
            return _results(self.url, wanted, answers)
        except _NO_ANSWER as error:
            raise RpcUnavailable(self.url, _why(error)) from None
        except _MALFORMED:
            raise RpcUnavailable(self.url, "its answer is no JSON-RPC") from None


def _results(url: str, wanted: Sequence[Request], answers: Any) -> list[Any | RpcRefused]:
    """Raises one of ``_MALFORMED`` for what no endpoint may answer, and RpcRefused where it takes no batches."""
    if not isinstance(answers, list):
        raise _refused("a batch", answers["error"])
    if len(answers) != len(wanted):
        raise RpcUnavailable(url, f"{len(answers)} answers to {len(wanted)} requests")
    return [
        _refused(method, answer["error"]) if "error" in answer else answer["result"]
        for (method, _), answer in zip(wanted, answers, strict=True)
    ]


def without_secrets(url: str) -> str:
    """What messages may show of an endpoint: hosted ones carry their key in the user, the path or the query."""
    try:
        parts = urlsplit(url)
        where = f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "(no URL)"
    if not parts.scheme:
        return url
    return where + ("/…" if parts.path.strip("/") or parts.query else "")


def _refused(method: str, fault: Mapping[str, Any]) -> RpcRefused:
    return RpcRefused(method, fault.get("code", 0), fault["message"], fault.get("data"))


def _why(error: Exception) -> str:
    """The last cause in a few words: `requests` wraps "connection refused" into three lines, with the URL and its key."""
    cause: BaseException = error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
    if isinstance(cause, ssl.SSLError):
        return "it does not speak TLS as https:// needs it"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(
        error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema
    ):
        return "it is no http:// or https:// address"
    return type(error).__name__
