import json
from pathlib import Path

import pytest

from mintery.cli.keys import read_key
from mintery.crypto.keys import PrivateKey, dev_key, encrypt_keystore
from mintery.errors import DevKeyOnRealChain, MalformedFile, MalformedInput, UnknownAccountKey

KEY = PrivateKey.from_bytes((7).to_bytes(32))


def test_a_dev_account_by_number() -> None:
    assert read_key("dev:3", local=True).address == dev_key(3).address


def test_a_dev_account_by_name() -> None:
    assert read_key("dev:issuer", local=True) != read_key("dev:holder", local=True)


@pytest.mark.parametrize("name", ["dev:10", "dev:nobody", "dev:", "no-such-file-or-variable"])
def test_what_names_no_key_is_refused(name: str) -> None:
    with pytest.raises(UnknownAccountKey):
        read_key(name, local=True)


def test_a_dev_account_never_signs_on_a_real_chain() -> None:
    with pytest.raises(DevKeyOnRealChain):
        read_key("dev:0", local=False)


def test_a_variable_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_WALLET", "0x" + KEY.secret_bytes().hex())

    assert read_key("MY_WALLET", local=False).address == KEY.address


def test_a_variable_that_holds_no_key_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_WALLET", "hunter2")

    with pytest.raises(MalformedInput) as refused:
        read_key("MY_WALLET", local=False)
    assert "hunter2" not in str(refused.value)


def test_a_keystore_with_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(encrypt_keystore(KEY, "correct horse")))
    monkeypatch.setattr("typer.prompt", lambda *_args, **_options: "correct horse")

    assert read_key(str(path), local=False).address == KEY.address


def test_a_file_that_is_no_keystore_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text("not json")

    with pytest.raises(MalformedFile):
        read_key(str(path), local=False)
