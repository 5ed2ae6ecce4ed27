"""By what a reporter that runs alone finds a SKU in its sources."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY

from mintery.bootstrap.declared import DeclaredModels
from mintery.bootstrap.reporting import eyes_alone
from mintery.domain.channel import Scope, Setting, Subject
from mintery.domain.observation import Observed
from mintery.errors import LedgerUnavailable, MalformedFile
from mintery.ledger.commands import ChangeChannel
from mintery.ledger.store import open_ledger
from mintery.settings import Settings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SKUS = ("acme/new:input_token", "acme/new:input_token.above_200000", "asset:usd")
ENTRY = {
    "litellm_provider": "acme",
    "input_cost_per_token": 3e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06,
}
MODEL = {
    "id": "acme/new",
    "upstream": "new-2026-05",
    "endpoint": "chat",
    "units": ["input_token"],
    "tiers": [200_000],
    "max_output_tokens": 4_096,
    "context_tokens": 400_000,
}


def providers(*models: object) -> str:
    acme = {"name": "acme", "registry_id": 1, "kind": "routed", "base_url": "https://acme.example/v1"}
    other = {**MODEL, "id": "acme/other", "upstream": "other"}
    return json.dumps({"providers": [{**acme, "models": [other, *models]}]})


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    def made(entry: str, **named: object) -> Settings:
        prices = tmp_path / "litellm.json"
        prices.write_text(json.dumps({f"acme/{entry}": ENTRY}))
        return Settings(litellm_prices=prices, litellm_longest_days=36_500, genai_prices=False, home=tmp_path, **named)

    return made


def seen(settings: Settings) -> Callable[[], dict[str, int]]:
    eyes = eyes_alone(settings)
    return lambda: {each.sku: each.usd for each in eyes(SKUS, NOON) if isinstance(each, Observed)}


def test_a_tier_is_reported_that_nobody_here_declared(settings: Callable[..., Settings]):
    look = seen(settings("new"))

    assert look() == {SKUS[0]: 3 * 10**12, SKUS[1]: 6 * 10**12}


def test_a_name_that_nobody_here_declared_is_not_guessed(settings: Callable[..., Settings]):
    assert seen(settings("new-2026-05"))() == {}


def test_what_is_declared_while_it_runs_counts_at_the_next_look(settings: Callable[..., Settings], tmp_path: Path):
    file = tmp_path / "providers.json"
    file.write_text(providers())
    look = seen(settings("new-2026-05", providers=file))
    assert look() == {}

    file.write_text(providers(MODEL))
    assert look() == {SKUS[0]: 3 * 10**12, SKUS[1]: 6 * 10**12}
    file.write_text("{")
    assert len(look()) == 2
    file.unlink()
    assert len(look()) == 2


def test_a_channel_that_was_added_while_all_run_is_reported(settings: Callable[..., Settings], tmp_path: Path):
    file, path = tmp_path / "providers.json", tmp_path / "ledger.sqlite"
    file.write_text(providers())
    with open_ledger(new_ledger(path), IDENTITY) as ledger:
        look = seen(settings("new-2026-05", providers=file, ledger=str(path)))
        assert look() == {}

        added = Subject(Scope.CHANNEL, "acme/new", Setting.TERMS)
        ledger.commit([ChangeChannel(added, 1, json.dumps(MODEL), "ann", "new", NOON)])

        assert look() == {SKUS[0]: 3 * 10**12, SKUS[1]: 6 * 10**12}


def test_a_ledger_out_of_reach_stops_no_report(tmp_path: Path):
    path, tries = tmp_path / "ledger.sqlite", []

    def open_() -> object:
        tries.append(path)
        raise LedgerUnavailable("it sleeps")

    declared = DeclaredModels(None, open_)  # type: ignore[arg-type]  # it opens nothing
    declared.look(SKUS)

    assert declared["acme/new"].tiers == (200_000,)
    assert (list(declared), len(declared), len(tries)) == (["acme/new"], 1, 2)


def test_what_is_no_ledger_is_said_at_once(tmp_path: Path):
    (tmp_path / "ledger.sqlite").write_text("not one")

    with pytest.raises(MalformedFile):
        DeclaredModels.of(Settings(ledger=str(tmp_path / "ledger.sqlite"), home=tmp_path))
