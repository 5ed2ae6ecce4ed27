"""What of a provider's own refusal the client sees, and what is remembered of ours."""

from typing import Any

import orjson
from starlette.responses import Response

from mintery.domain.attempt import REFUSED_KEY, Refusal
from mintery.domain.diagnosis import cause_of
from mintery.errors import MinteryError, ProviderRefused
from mintery.gateway.errors import Problem, Problems, respond
from mintery.usecases.pay_for_request import Till
from mintery.usecases.verify_credential import Credential

CLIENTS_FAULT = frozenset({400, 404, 409, 413, 415, 422})
"""Passed on with the provider's words: the request itself is what it refused."""
TOO_MANY = 429
MAX_MESSAGE = 2_000
MAX_NAME = 120
MAX_LOOKED_AT = 64 * 1024
_SAID = frozenset({"message", "type", "code", "wallet"})


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


def refuse(
    till: Till, problem: Problem, error: MinteryError, *, asker: Credential | None = None, body: bytes = b""
) -> Response:
    """The answer, under an id by which it can be asked why. ``asker``: as far as that is known."""
    request = till.parts.new_request_id()
    evidence = {name: value for name, value in problem.members.items() if name not in _SAID}
    if asker is not None and asker.key_id is not None:
        evidence[REFUSED_KEY] = asker.key_id
    till.refusals.note(
        Refusal(
            request=request,
            account=None if asker is None else asker.account,
            asked=_model(body),
            code=problem.members["code"],
            message=problem.members["message"][:MAX_MESSAGE],
            evidence={"cause": cause_of(error).value, **evidence},
            at=till.parts.clock(),
        )
    )
    response = respond(problem)
    response.headers["x-mintery-request"] = request
    response.headers["x-request-id"] = request
    return response


def _model(body: bytes) -> str | None:
    """What the body names, where that can be read at once."""
    if len(body) > MAX_LOOKED_AT:
        return None
    try:
        fields: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    name = fields.get("model") if isinstance(fields, dict) else None
    return name[:MAX_NAME] if isinstance(name, str) else None
