"""Prices from files and from genai-prices: exact, or none."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mintery.crypto.keys import PrivateKey
from mintery.crypto.price_files import sign_price_file
from mintery.domain.observation import NoPrice, SourcePrice
from mintery.errors import MalformedFile
from mintery.providers.price_lists import OperatorFile, Renewed, read_price_file
from mintery.units import UsdWad

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPERATOR = PrivateKey.from_bytes(b"\x07" * 32)
PRICES = {"acme/small:input_token": "0.000001234567891011"}


def written(path: Path, **fields: object) -> Path:
    path.write_text(json.dumps({"format": "mintery-prices-1", "prices": PRICES, **fields}))
    return path


def signed(path: Path, key: PrivateKey = OPERATOR, valid_until: int = 2_000_000_000) -> Path:
    signature = "0x" + sign_price_file(PRICES, valid_until, key).hex()
    return written(path, valid_until=valid_until, signature=signature)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prices.json"


def test_a_plain_file_gives_exact_prices(path: Path):
    listed = read_price_file(written(path))

    assert listed.price_of("acme/small:input_token", NOON) == SourcePrice("prices.json", UsdWad(1_234_567_891_011))
    assert listed.price_of("acme/other:input_token", NOON) == NoPrice("prices.json", "not listed")


def test_a_signed_file_is_believed(path: Path):
    listed = read_price_file(signed(path), signers=[OPERATOR.address])

    assert isinstance(listed.price_of("acme/small:input_token", NOON), SourcePrice)


def test_a_file_ends_with_its_validity(path: Path):
    listed = read_price_file(written(path, valid_until=int(NOON.timestamp())))

    assert listed.price_of("acme/small:input_token", NOON) == NoPrice("prices.json", "its validity has ended")


def test_where_signers_are_named_nothing_else_is_believed(path: Path):
    stranger = PrivateKey.from_bytes(b"\x08" * 32)
    for make in (written, lambda where: signed(where, stranger)):
        with pytest.raises(MalformedFile):
            read_price_file(make(path), signers=[OPERATOR.address])

    fields = json.loads(signed(path).read_text())
    fields["prices"] = {"acme/small:input_token": "0.1"}
    path.write_text(json.dumps(fields))
    with pytest.raises(MalformedFile):
        read_price_file(path, signers=[OPERATOR.address])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"format": "other", "prices": {}}',
        '{"format": "mintery-prices-1"}',
        '{"format": "mintery-prices-1", "prices": {"a/b:c": 0.1}}',
        '{"format": "mintery-prices-1", "prices": {"a/b:c": "-1"}}',
        '{"format": "mintery-prices-1", "prices": {"a/b:c": "0.0000000000000000001"}}',
    ],
)
def test_a_file_that_is_none_is_refused(path: Path, text: str):
    path.write_text(text)

    with pytest.raises(MalformedFile) as caught:
        read_price_file(path)

    assert caught.value.path == str(path)


def test_a_file_that_is_not_there_is_refused(path: Path):
    with pytest.raises(MalformedFile):
        read_price_file(path)


def test_a_file_that_cannot_be_read_once_is_not_answered_from_what_it_said_before(path: Path):
    listed = Renewed(written(path), read_unless_it_is_half)
    written(path, prices={"acme/small:input_token": "0.5"})

    answers = [listed.price_of("acme/small:input_token", NOON) for _ in range(2)]

    assert answers == [NoPrice("prices.json", "cannot be read: RuntimeError")] * 2


def read_unless_it_is_half(path: Path) -> OperatorFile:
    if "0.5" in path.read_text():
        raise RuntimeError
    return read_price_file(path)


def test_a_file_that_is_written_anew_is_read_anew_and_one_that_breaks_has_no_price(path: Path):
    listed = Renewed(written(path), read_price_file)
    assert isinstance(listed.price_of("acme/small:input_token", NOON), SourcePrice)

    written(path, prices={"acme/small:input_token": "0.5"})
    assert listed.price_of("acme/small:input_token", NOON) == SourcePrice("prices.json", UsdWad(5 * 10**17))

    path.write_text("{")
    broken = listed.price_of("acme/small:input_token", NOON)
    assert isinstance(broken, NoPrice)
    path.unlink()
    gone = listed.price_of("acme/small:input_token", NOON)
    assert isinstance(gone, NoPrice)
    assert "No such file" in gone.why

    written(path)
    assert isinstance(listed.price_of("acme/small:input_token", NOON), SourcePrice)
