"""A place in a list is its reader's own, and tells nothing."""

from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto.cursors import MOST_PLACE, open_place, seal_place
from mintery.crypto.keys import PrivateKey

KEY, OTHER = PrivateKey.from_bytes(b"\x01" * 32), PrivateKey.from_bytes(b"\x02" * 32)


@given(st.binary(max_size=MOST_PLACE), st.text(max_size=20), st.text(max_size=20))
def test_a_place_opens_for_its_reader_alone(place: bytes, reader: str, another: str) -> None:
    sealed = seal_place(KEY, reader, place)

    assert sealed == seal_place(KEY, reader, place)
    assert open_place([OTHER, KEY], reader, sealed) == place
    assert open_place([OTHER], reader, sealed) is None
    assert another == reader or open_place([KEY], another, sealed) is None


@given(st.binary(min_size=1, max_size=MOST_PLACE), st.data())
def test_one_changed_letter_makes_it_none(place: bytes, data: st.DataObject) -> None:
    sealed = seal_place(KEY, "a", place)
    at = data.draw(st.integers(0, len(sealed) - 2))  # the last letter has bits that mean nothing
    letter = data.draw(st.sampled_from([each for each in "AZaz09-_" if each != sealed[at]]))

    assert open_place([KEY], "a", sealed[:at] + letter + sealed[at + 1 :]) is None


@given(st.text(max_size=80))
def test_what_nobody_sealed_is_none(text: str) -> None:
    assert open_place([KEY], "a", text) is None
