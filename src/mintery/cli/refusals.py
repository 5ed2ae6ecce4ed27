"""What the ``openai`` package raises, as this command line's own errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mintery.errors import GatewayRefused, GatewayUnreachable

if TYPE_CHECKING:
    import openai


@contextmanager
def told(url: str) -> Iterator[None]:
    """Raises GatewayRefused and GatewayUnreachable in place of the ``openai`` package's errors."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise GatewayRefused(error.status_code, error.code or "", _words(error)) from None
    except openai.APIConnectionError as error:
        raise GatewayUnreachable(url, str(error.__cause__ or error)) from None


def _words(error: "openai.APIStatusError") -> str:
    body = error.body
    return str(body["message"]) if isinstance(body, dict) and "message" in body else error.message
