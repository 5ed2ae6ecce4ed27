"""``mintery tokenlist --check``: a list as it was signed, and none that was changed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mintery.cli.app import app
from mintery.crypto.keys import dev_key
from mintery.crypto.token_lists import sign_token_list
from mintery.errors import FileMissing, MalformedFile, TokenListRefused

LIST = {"name": "Mintery AI credits", "tokens": [{"symbol": "PXAI"}]}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "list.json"
    path.write_text(json.dumps(LIST))
    (tmp_path / "list.json.sig.json").write_text(json.dumps(sign_token_list(LIST, dev_key(3))))
    return path


def check(path: Path, *arguments: str):
    return CliRunner().invoke(app, ["tokenlist", "--check", str(path), *arguments])


def test_a_list_as_it_was_signed(written: Path):
    assert check(written, "--signer", dev_key(3).address).exit_code == 0
    assert dev_key(3).address in check(written).stdout


@pytest.mark.parametrize(
    ("text", "signer", "error"),
    [
        (json.dumps({**LIST, "name": "Another"}), None, TokenListRefused),
        (json.dumps(LIST), dev_key(4).address, TokenListRefused),
        ("[]", None, MalformedFile),
        ("{", None, MalformedFile),
    ],
)
def test_what_is_not_as_it_was_signed(written: Path, text: str, signer: str | None, error: type[Exception]):
    written.write_text(text)

    assert isinstance(check(written, *([] if signer is None else ["--signer", signer])).exception, error)


def test_a_list_without_a_signature(written: Path):
    written.with_name("list.json.sig.json").unlink()

    assert isinstance(check(written).exception, FileMissing)
