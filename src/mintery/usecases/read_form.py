"""multipart/form-data (RFC 7578), read strictly: what two readers could take for two different things is refused."""

import re
from typing import Any, NamedTuple

from mintery.errors import MalformedRequest

MOST_PARTS = 64
_BOUNDARY = re.compile(r'multipart/form-data\s*;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;",]{1,70}))\s*', re.IGNORECASE)
_DISPOSITION = re.compile(rb'form-data; ?name="([^"\\\r\n]{1,80})"(?:; ?filename="([^"\r\n]{0,255})")?', re.IGNORECASE)
_HEADER = b"content-disposition:"


class Upload(NamedTuple):
    filename: str
    content: bytes


def boundary_of(content_type: str) -> bytes:
    """Raises MalformedRequest unless it is a form's content type."""
    found = _BOUNDARY.fullmatch(content_type)
    if found is None:
        raise MalformedRequest("send multipart/form-data with its boundary", field="Content-Type")
    return (found[1] or found[2]).encode("latin-1")


def read_form(raw: bytes, content_type: str) -> dict[str, Any]:
    """Texts by their names, files as ``Upload``. A name that ends in ``[]`` is a list; no other may be there twice.

    Raises:
        MalformedRequest
    """
    pieces = (b"\r\n" + raw).split(b"\r\n--" + boundary_of(content_type), MOST_PARTS + 2)
    if len(pieces) > MOST_PARTS + 2:
        raise MalformedRequest(f"the form has more than {MOST_PARTS} parts")
    if len(pieces) < 3 or pieces[0] or pieces[-1].rstrip() != b"--":
        raise MalformedRequest("the form does not begin and end with its boundary")
    fields: dict[str, Any] = {}
    for piece in pieces[1:-1]:
        name, value = _read_part(piece)
        if name.endswith("[]"):
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise MalformedRequest(f"{name} is there twice", field=name)
        else:
            fields[name] = value
    return fields


def _read_part(piece: bytes) -> tuple[str, str | Upload]:
    head, blank, content = piece.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    dispositions = [line[len(_HEADER) :].strip() for line in lines if line.lower().startswith(_HEADER)]
    found = _DISPOSITION.fullmatch(dispositions[0]) if len(dispositions) == 1 else None
    if lines[0] or not blank or found is None:
        raise MalformedRequest("a part of the form does not say which field it is")
    try:
        name = found[1].decode()
        if found[2] is not None:
            return name, Upload(found[2].decode(errors="replace"), content)
        return name, content.decode()
    except UnicodeDecodeError:
        raise MalformedRequest("a field of the form is not UTF-8") from None
