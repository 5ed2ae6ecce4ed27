"""Work that takes minutes: opened, looked at, fetched. The stock ``openai`` client does the same for videos.

``base_url`` ends in ``/v1``; ``voucher_key`` is the API key; ``form`` is ``videos`` or ``jobs``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import httpx2

from mintery.client.calls import call, refused
from mintery.errors import GatewayUnreachable

Form = Literal["videos", "jobs"]
_TIMEOUT = 60.0


def open_job(
    base_url: str, voucher_key: str, form: Form, request: Mapping[str, Any], *, idempotency_key: str | None = None
) -> dict[str, Any]:
    """Open a job; what it may cost is held, and charged when it is completed. The same key is the same job.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    return call("POST", f"{base_url}/{form}", voucher_key, request, beside=headers)


def read_job(base_url: str, voucher_key: str, form: Form, job_id: str) -> dict[str, Any]:
    """How it stands. Its ``status`` is queued, in_progress, completed or failed.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/{form}/{job_id}", voucher_key)


def list_jobs(base_url: str, voucher_key: str, form: Form, *, limit: int = 20) -> list[dict[str, Any]]:
    """The account's newest.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return list(call("GET", f"{base_url}/{form}?limit={limit}", voucher_key)["data"])


@contextmanager
def fetch_job(base_url: str, voucher_key: str, form: Form, job_id: str) -> Iterator[Iterator[bytes]]:
    """What a completed job made, piece by piece.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    url, headers = f"{base_url}/{form}/{job_id}/content", {"Authorization": f"Bearer {voucher_key}"}
    try:
        with httpx2.stream("GET", url, headers=headers, timeout=_TIMEOUT) as answer:
            if not answer.is_success:
                answer.read()
                raise refused(answer)
            yield answer.iter_bytes()
    except httpx2.TransportError as error:
        raise GatewayUnreachable(url, str(error)) from error
