"""Names looked up in threads that nothing waits for.

The system's lookup cannot be stopped and may take minutes, and what ends a loop waits for the lookups that it began. Here
one lookup of a name goes on however often it is asked for, in a thread that stops nobody: whoever asked goes by its own
clock.
"""

import asyncio
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import Future

from aiohttp.abc import AbstractResolver, ResolveResult

Question = tuple[str, int, socket.AddressFamily]
Answer = Future[Iterable[ResolveResult]]


class PatientResolver(AbstractResolver):
    """For one session; the lookups under way are the process's."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError where there is no such name."""
        return list(await asyncio.wrap_future(_answer_to((host, port, family))))

    async def close(self) -> None:
        """What is under way goes on."""


_under_way: dict[Question, Answer] = {}
_lock = threading.Lock()


def _answer_to(question: Question) -> Answer:
    with _lock:
        if (answer := _under_way.get(question)) is None:
            answer = _under_way[question] = Answer()
            answer.set_running_or_notify_cancel()  # from here on nobody who gives up cancels it for the others
            threading.Thread(target=_look_up, args=(question, answer), name="name-lookup", daemon=True).start()
        return answer


def _look_up(question: Question, answer: Answer) -> None:
    try:
        answer.set_result(_found(*question))
    except (OSError, ValueError) as error:
        answer.set_exception(error)
    finally:
        with _lock:
            del _under_way[question]


def _found(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(address[1]),
            family=found_family,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for found_family, _, protocol, _, address in found
    ]
