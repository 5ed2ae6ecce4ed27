"""Forms that two readers could take for two different things are refused; every other is read as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.errors import MalformedRequest
from mintery.usecases.read_form import Upload, boundary_of, read_form

TYPE = "multipart/form-data; boundary=edge"
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
NOT_THE_EDGE = st.binary(max_size=60).filter(lambda content: b"edge" not in content)


def part(name: str, content: bytes, more: bytes = b"") -> bytes:
    return b'--edge\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name.encode(), more, content)


@given(files=st.dictionaries(NAMES, NOT_THE_EDGE, max_size=4))
def test_files_come_out_as_they_went_in(files: dict[str, bytes]):
    raw = b"".join(part(name, content, b'; filename="f"') for name, content in files.items()) + b"--edge--\r\n"
    if files:
        assert read_form(raw, TYPE) == {name: Upload("f", content) for name, content in files.items()}


def test_lists_and_texts():
    raw = part("a[]", b"1") + part("a[]", b"2") + part("b", "ä".encode()) + b"--edge--"
    assert read_form(raw, TYPE) == {"a[]": ["1", "2"], "b": "ä"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"--edge--\r\n",
        part("a", b"1"),
        part("a", b"1") + part("a", b"2") + b"--edge--",
        part("a", b"\xff") + b"--edge--",
        b"before" + part("a", b"1") + b"--edge--",
        part("a", b"1") + b"--edge--after",
        part("a", b"1", b'; name="b"') + b"--edge--",
        b"--edge\r\nContent-Type: text/plain\r\n\r\n1\r\n--edge--",
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\n--edge--',
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"\r\n\r\n1\r\n--edge--',
        b"".join(part(f"n{number}", b"1") for number in range(70)) + b"--edge--",
    ],
)
def test_what_is_no_clear_form_is_refused(raw: bytes):
    with pytest.raises(MalformedRequest):
        read_form(raw, TYPE)


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "x; boundary=a"]
)
def test_content_types_without_a_boundary(content_type: str):
    with pytest.raises(MalformedRequest):
        boundary_of(content_type)


def test_a_boundary_in_quotes():
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
