"""Whether an execution looked at its block: what did not is the same at every block of one state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eth.vm.state import BaseState

_asked = False


def _watched(name: str) -> property:
    own = getattr(BaseState, name)

    def read(state: BaseState) -> object:
        global _asked  # noqa: PLW0603 -- the properties have nowhere else to tell it
        _asked = True
        return own.fget(state)

    return property(read)


for _name in ("timestamp", "block_number", "mix_hash"):
    setattr(BaseState, _name, _watched(_name))


@contextmanager
def reading_time() -> Iterator[Callable[[], bool]]:
    """Yields whether the block's time or number was asked for since."""
    global _asked  # noqa: PLW0603 -- as above
    _asked = False
    yield lambda: _asked
