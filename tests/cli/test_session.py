"""Which project a name on the command line means."""

from types import SimpleNamespace
from typing import cast

import pytest

from mintery.cli.session import find_token
from mintery.errors import UnknownProject
from mintery.usecases.onchain import OnChain

OURS = "0x" + "Aa" * 20
SQUATTED = "0x" + "Bb" * 20
CHAIN = cast("OnChain", None)


def opened(monkeypatch: pytest.MonkeyPatch, **symbols: str) -> None:
    projects = [SimpleNamespace(token=token, terms=SimpleNamespace(symbol=symbol)) for token, symbol in symbols.items()]
    monkeypatch.setattr("mintery.usecases.find_projects.find_projects", lambda _: iter(projects))


def test_an_address_means_itself_whatever_symbols_others_take(monkeypatch: pytest.MonkeyPatch) -> None:
    opened(monkeypatch, **{OURS: "OURS_AI_CREDITS", SQUATTED: OURS.lower()})

    assert find_token(CHAIN, OURS) == (OURS, "OURS_AI_CREDITS")
    assert find_token(CHAIN, SQUATTED.lower()) == (SQUATTED, OURS.lower())
    assert find_token(CHAIN, "ours_ai_credits") == (OURS, "OURS_AI_CREDITS")


@pytest.mark.parametrize("wanted", ["ours_ai_credits", None])
def test_a_symbol_that_two_have_is_refused(wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(monkeypatch, **{OURS: "OURS_AI_CREDITS", SQUATTED: "OURS_AI_CREDITS"})

    with pytest.raises(UnknownProject):
        find_token(CHAIN, wanted)
