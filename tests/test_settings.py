"""Settings come from the environment and never show a secret."""

from pathlib import Path

import pytest

from mintery.errors import SettingMissing, SettingRefused
from mintery.settings import Settings, load_settings, required, variable

KEY = "0x" + "11" * 32


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_come_from_prefixed_variables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINTERY_RPC_URL", "http://127.0.0.1:9545")
    monkeypatch.setenv("MINTERY_REPORTER_KEYS", f"{KEY}, {KEY}")
    monkeypatch.setenv("MINTERY_PRICE_FILES", "/etc/a.json,/etc/b.json")
    monkeypatch.setenv("SOLC", "/opt/solc")

    loaded = load_settings()

    assert loaded.rpc_url == "http://127.0.0.1:9545"
    assert [key.get_secret_value() for key in loaded.reporter_keys] == [KEY, KEY]
    assert loaded.price_files == (Path("/etc/a.json"), Path("/etc/b.json"))
    assert loaded.solc == Path("/opt/solc")


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINTERY_PORT", "1234")

    assert load_settings(port=4321).port == 4321


def test_a_setting_of_the_wrong_form_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINTERY_PORT", "hunter2")

    with pytest.raises(SettingRefused) as caught:
        load_settings()

    assert caught.value.name == "MINTERY_PORT"
    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show():
    loaded = load_settings(settler_key=KEY, gateway_key=KEY, operator_key=KEY, reporter_keys=KEY, sender_key=KEY)

    assert KEY not in repr(loaded)
    assert KEY not in loaded.model_dump_json()
    assert required(loaded.settler_key, "settler_key", "it signs") == KEY


def test_a_missing_secret_names_its_variable():
    with pytest.raises(SettingMissing, match="MINTERY_SETTLER_KEY"):
        required(load_settings().settler_key, "settler_key", "it signs")


def test_confirmations_are_twelve_where_money_is_real():
    assert load_settings().confirmations_on(local=False) == 12
    assert load_settings().confirmations_on(local=True) == 0
    assert load_settings(confirmations=3).confirmations_on(local=True) == 3


def test_trusted_proxies_are_networks():
    loaded = load_settings(trusted_proxies="10.0.0.0/8, 192.0.2.7,2001:db8::/48")

    assert [str(each) for each in loaded.trusted_proxies] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/48"]


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "10.0.0.1/8", "::ffff:10.0.0.0/104", "proxy.internal"])
def test_no_network_that_believes_everyone_or_is_none(network: str):
    with pytest.raises(SettingRefused, match="MINTERY_TRUSTED_PROXIES"):
        load_settings(trusted_proxies=network)
