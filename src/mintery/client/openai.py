"""The stock ``openai`` client, pointed at a gateway."""

from typing import TYPE_CHECKING

from mintery.client.auth import VoucherAuth

if TYPE_CHECKING:
    import openai


def openai_client(base_url: str, voucher_key: str, *, auth: VoucherAuth | None = None) -> "openai.OpenAI":
    """``openai.OpenAI`` that pays with ``voucher_key`` (``mv1.…``); with ``auth``, each request raises its voucher.

    ``base_url`` ends in ``/v1``.
    """
    import openai  # noqa: PLC0415 -- more than a second to import

    http_client = None if auth is None else openai.DefaultHttpxClient(auth=auth)
    return openai.OpenAI(base_url=base_url, api_key=voucher_key, http_client=http_client)


def async_openai_client(base_url: str, voucher_key: str, *, auth: VoucherAuth | None = None) -> "openai.AsyncOpenAI":
    """As ``openai_client``, for event loops."""
    import openai  # noqa: PLC0415 -- more than a second to import

    http_client = None if auth is None else openai.DefaultAsyncHttpxClient(auth=auth)
    return openai.AsyncOpenAI(base_url=base_url, api_key=voucher_key, http_client=http_client)
