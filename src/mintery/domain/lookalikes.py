"""Names that a person takes for another's: whoever opens ``PR0JECTX_AI_CREDITS`` beside ``PROJECTX_AI_CREDITS`` fishes for mistakes.

A name's skeleton is what is left of it when all that looks alike is written alike: case, accents, the usual digits for letters,
letters of other alphabets that are drawn as Latin ones (a choice of those in Unicode's confusables.txt, UTS #39, by their code
points), and all that separates. Two names with one skeleton are taken for each other.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mintery.domain.voucher import Address
from mintery.errors import LooksLikeAnother, UnwritableName

_DIGITS = {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g"}
_SAME = {"i": "l", "j": "l", "|": "l", "$": "s", "@": "a", "\u20ac": "e", "q": "g"}
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_CYRILLIC = {
    "\u0430": "a", "\u0432": "b", "\u0441": "c", "\u0501": "d", "\u0435": "e", "\u04bb": "h", "\u0456": "l", "\u0458": "l", "\u043a": "k", "\u04cf": "l", "\u043c": "m", "\u043d": "h",
    "\u043e": "o", "\u0440": "p", "\u051b": "g", "\u0455": "s", "\u0442": "t", "\u04af": "y", "\u0443": "y", "\u0475": "v", "\u051d": "w", "\u0445": "x", "\u0433": "r", "\u0437": "e",
}  # fmt: skip
_GREEK = {
    "\u03b1": "a", "\u03b2": "b", "\u03f2": "c", "\u03b5": "e", "\u03b7": "n", "\u03b9": "l", "\u03ba": "k", "\u03bc": "m", "\u03bd": "v", "\u03bf": "o", "\u03c1": "p", "\u03c3": "o",
    "\u03c4": "t", "\u03c5": "u", "\u03c7": "x", "\u03c9": "w", "\u03b3": "y", "\u03b6": "z",
}  # fmt: skip
_OTHERS = {
    "\u0131": "l",
    "\u0142": "l",
    "\u00f8": "o",
    "\u0111": "d",
    "\u0127": "h",
    "\u0167": "t",
    "\u0251": "a",
    "\u0261": "g",
    "\u0461": "w",
    "\u0585": "o",
    "\u0578": "n",
    "\u057d": "u",
    "\u0581": "g",
}
_DRAWN_ALIKE: Mapping[str, str] = {**_DIGITS, **_SAME, **_CYRILLIC, **_GREEK, **_OTHERS}
_PLAIN = re.compile(r"[\x20-\x7e]+")
_LETTERS = re.compile(r"[a-z0-9]")
SHORTEST = 3
"""Shorter symbols differ by so little that all of them would look alike."""


class Named(NamedTuple):
    """A project as people see it."""

    token: Address
    name: str
    symbol: str


def skeleton(name: str) -> str:
    """What a glance sees of it; for comparing alone."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    drawn = "".join(_DRAWN_ALIKE.get(char, char) for char in plain)
    bare = "".join(char for char in drawn if char.isalnum())
    for pair, one in _PAIRS:
        bare = bare.replace(pair, one)
    return bare


def looks_like(name: str, symbol: str, others: Iterable[Named]) -> Named | None:
    """Which of ``others`` a person could take a project of this name and symbol for. Both are compared with both: a symbol that
    is another's name misleads as much.
    """
    own = _skeletons(name, symbol)
    return next((other for other in others if own & _skeletons(other.name, other.symbol)), None)


def check_name(name: str, symbol: str, others: Iterable[Named]) -> None:
    """Whether a project may be opened under this name and symbol beside ``others``.

    Raises:
        UnwritableName: characters that people cannot read or type, so that no eye tells them apart.
        LooksLikeAnother
    """
    for text in (name, symbol):
        if not _PLAIN.fullmatch(text) or not _LETTERS.search(text.casefold()):
            raise UnwritableName(text)
    if (other := looks_like(name, symbol, others)) is not None:
        raise LooksLikeAnother(f"{name} ({symbol})", f"{other.name} ({other.symbol})", other.token)


def _skeletons(name: str, symbol: str) -> set[str]:
    return {bare for bare in (skeleton(name), skeleton(symbol)) if len(bare) >= SHORTEST}
