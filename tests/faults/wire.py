"""A transport for web3's HTTP provider that costs a fifth of its own: most of what a run would do is parse headers.

One seed in eight keeps the product's own.
"""

import http.client
import select
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from web3._utils.http_session_manager import HTTPSessionManager

_kept = threading.local()


def use_light_transport() -> None:
    HTTPSessionManager.make_post_request = _post


def _post(_self: HTTPSessionManager, endpoint_uri: Any, data: bytes, **options: Any) -> bytes:
    """As the session manager's own, errors included."""
    connection = _connection(str(endpoint_uri), options["timeout"])
    try:
        connection.request("POST", "/", data, {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
    except TimeoutError as error:
        connection.close()
        raise requests.Timeout(str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise requests.ConnectionError(str(error)) from error
    if response.status >= 400:
        raise requests.HTTPError(str(response.status))
    return body


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    """One for each thread and endpoint; a new one where the other side has closed it."""
    known: dict[str, http.client.HTTPConnection] = _kept.__dict__.setdefault("known", {})
    connection = known.get(url)
    if connection is None or connection.sock is None or select.select([connection.sock], [], [], 0)[0]:
        if connection is not None:
            connection.close()
        parts = urlsplit(url)
        connection = known[url] = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    return connection
