"""What of a provider's own refusal the client sees."""

from typing import Any

import orjson

from mintery.errors import ProviderRefused
from mintery.gateway.errors import Problem, Problems

CLIENTS_FAULT = frozenset({400, 404, 409, 413, 415, 422})
"""Passed on with the provider's words: the request itself is what it refused."""
TOO_MANY = 429
MAX_MESSAGE = 2_000


def provider_problem(problems: Problems, error: ProviderRefused) -> Problem:
    """The provider's status where the client can act on it. A refused key or a fault of the provider is 502, and its
    words stay here: they may quote the operator's key.
    """
    if error.status in CLIENTS_FAULT:
        message = _message(error.body)
        problem = problems.of(error, beside={"message": f"{error}: {message}" if message else str(error)})
        return Problem(400 if error.status == 409 else error.status, problem.body, problem.headers)
    problem = problems.of(error)
    if error.status == TOO_MANY:
        if error.retry_after is not None:
            problem.headers["Retry-After"] = error.retry_after
        return Problem(TOO_MANY, problem.body, problem.headers)
    return problem


def _message(body: bytes) -> str | None:
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return message[:MAX_MESSAGE] if isinstance(message, str) else None
