"""Words that nobody needs who wants to top up, use, and see what it cost."""

import re

import pytest
from tests.wallet.words import forbidden_in

from mintery.wallet.page_files import page_files

TECHNICAL = {"reserve.js", "review.js"}
"""Pages for those who check, and for the operator."""
_TEXT = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`")
_PROGRAM = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
_SENTENCE = re.compile(r"[A-Z0-9“][^<>{}]*[ .?!:…]|^[A-Z][a-z]+$")


def shown_texts(name: str) -> list[str]:
    """The file's texts that people read: those that begin as sentences and names of buttons do."""
    source = page_files()[name].content.decode()
    if name.endswith(".html"):
        return [re.sub(r"<[^>]*>", " ", source)]
    source = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    texts = (_PROGRAM.sub(" ", found[0] or found[1]) for found in _TEXT.findall(source))
    return [text for text in texts if _SENTENCE.search(text.strip()) and not text.startswith(("/v1/", "./"))]


@pytest.mark.parametrize(
    "name", [name for name in page_files() if name.endswith((".js", ".html")) and name not in TECHNICAL]
)
def test_no_page_that_everybody_uses_speaks_of_the_works(name: str) -> None:
    found = {(word, text) for text in shown_texts(name) for word in forbidden_in(text)}

    assert not found


def test_the_search_finds_what_it_looks_for() -> None:
    assert any("What backs the credits" in text for text in shown_texts("main.js"))
    assert any("Network number" in text for text in shown_texts("reserve.js"))
    assert forbidden_in("Sign the Voucher to mint 5 input tokens.") == ["voucher", "mint"]
