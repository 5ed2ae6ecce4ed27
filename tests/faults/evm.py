"""What an execution looked at: one that looked at nothing that has changed says the same again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eth.vm.state import BaseState


@dataclass(slots=True)
class Looks:
    """``time``: the block's time or number was asked for. ``slots``: what was first read, by account and place."""

    time: bool = False
    slots: dict[bytes, dict[int, int]] = field(default_factory=dict)


_looks = Looks()


def _watched(name: str) -> property:
    own = getattr(BaseState, name)

    def read(state: BaseState) -> object:
        _looks.time = True
        return own.fget(state)

    return property(read)


for _name in ("timestamp", "block_number", "mix_hash"):
    setattr(BaseState, _name, _watched(_name))

_get_storage = BaseState.get_storage


def _watched_get_storage(state: BaseState, address: bytes, *arguments: Any, **options: Any) -> int:
    value: int = _get_storage(state, address, *arguments, **options)
    _looks.slots.setdefault(bytes(address), {}).setdefault(arguments[0] if arguments else options["slot"], value)
    return value


BaseState.get_storage = _watched_get_storage


@contextmanager
def watching() -> Iterator[Looks]:
    """What is looked at from here on."""
    global _looks  # noqa: PLW0603 -- py-evm's methods have nowhere else to tell it
    _looks = Looks()
    yield _looks


def stored(state: BaseState, address: bytes, slot: int) -> int:
    value: int = _get_storage(state, address, slot)
    return value


def storage_root(state: BaseState, address: bytes) -> bytes:
    """Equal for two states in which all that ``address`` stores is equal."""
    return bytes(state._account_db._get_account(address).storage_root)
