"""How an error looks over HTTP. Each router names the statuses of its own errors; nothing below the gateway knows any.

A body has OpenAI's shape with the error's own attributes beside it, whole numbers as text where they can pass 2**53::

    {"error": {"message": "…", "type": "…", "code": "…", "param": null, …}}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from mintery.errors import MinteryError, snake_case
from mintery.gateway import schemas
from mintery.usecases.meters import LOG

NEVER = "false"
"""``x-should-retry``: the official clients obey it before they look at the status."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How one type of error is shown, its descendants included.

    Attributes:
        type: OpenAI's ``type``.
        code: OpenAI's ``code``; None takes the error's name in snake case.
        retry: whether sending the same again may help; False tells clients never to.
        attributes: what of the error is shown beside the message.
        instead: said in place of the error's own message, which names what only the operator should see.
        wait: seconds for Retry-After where the error itself names none.
    """

    status: int
    type: str
    code: str | None = None
    retry: bool = False
    attributes: tuple[str, ...] = ()
    instead: str | None = None
    wait: int | None = None


ErrorTable = Mapping[type[MinteryError], Shown]

OUR_FAULT = "an internal fault; nothing was charged but what a receipt shows"
FAULT = Shown(500, "server_error", instead=OUR_FAULT)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as HTTP: what is left to do is to send it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    """Of the body's error."""


class Problems:
    """All routers' tables. The nearest ancestor's row applies."""

    def __init__(self, *tables: ErrorTable) -> None:
        self._rows: dict[type[MinteryError], Shown] = {}
        for table in tables:
            self._rows.update(table)

    def shown(self, error: type[MinteryError]) -> Shown:
        for ancestor in error.__mro__:
            if (row := self._rows.get(ancestor)) is not None:
                return row
        return FAULT

    def of(self, error: MinteryError, *, beside: Mapping[str, Any] | None = None) -> Problem:
        """``beside`` are further members of the error's body."""
        row = self.shown(type(error))
        if row.status >= 500:
            LOG.warning("answered_with_error error=%s status=%s", type(error).__name__, row.status)
        retry_after = getattr(error, "retry_after", row.wait)
        members: dict[str, Any] = {
            "message": row.instead or str(error),
            "type": row.type,
            "code": row.code or snake_case(type(error).__name__),
            "param": getattr(error, "field", None),
        }
        for name in row.attributes:
            value = getattr(error, name)
            members[name] = str(value) if isinstance(value, int) and abs(value) >= 2**53 else value
        members |= beside or {}
        headers = {}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        if not row.retry or (row.status == 503 and retry_after is None):
            headers["x-should-retry"] = NEVER
        return Problem(row.status, orjson.dumps({"error": members}), headers, members)

    def responses(self, *errors: type[MinteryError]) -> dict[int | str, dict[str, Any]]:
        """What OpenAPI says of these errors, by status."""
        documented: dict[int | str, dict[str, Any]] = {}
        for error in errors:
            row = self.shown(error)
            example = {"error": {"message": "…", "type": row.type, "code": row.code or snake_case(error.__name__)}}
            entry = documented.setdefault(
                row.status,
                {"description": "", "content": {"application/json": {"schema": schemas.ERROR, "examples": {}}}},
            )
            entry["content"]["application/json"]["examples"][error.__name__] = {"value": example}
            entry["description"] = ", ".join(entry["content"]["application/json"]["examples"])
        return documented


def fault_of(problems: Problems, error: Exception) -> Problem:
    """A fault of our own: its name is shown, and nothing else of it."""
    return Problem(500, problems.of(MinteryError(type(error).__name__)).body, {"x-should-retry": NEVER})


def respond(problem: Problem) -> Response:
    return Response(problem.body, problem.status, problem.headers, "application/json")
