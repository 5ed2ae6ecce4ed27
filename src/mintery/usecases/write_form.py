"""multipart/form-data as we send it."""

import hashlib
from collections.abc import Mapping
from typing import Any

from mintery.usecases.read_form import Upload

_SUFFIX = 5


def written_form(texts: Mapping[str, Any], files: Mapping[str, Upload], *, stem: str, suffix: str) -> bytes:
    """``texts`` are texts, or lists of them. Files are named ``stem``, with their own suffix or else this one. It begins with its boundary, which nothing inside can contain: it is a hash of
    all of it. Names are of our own making, or checked against what is known.
    """
    whole = hashlib.sha256()
    for name, value in texts.items():
        whole.update(f"{name}={value}".encode())
    for file in files.values():
        whole.update(file.content)
    boundary = whole.hexdigest().encode()
    parts = [
        b'name="%b"\r\n\r\n%b' % (name.encode(), each.encode())
        for name, value in texts.items()
        for each in (value if isinstance(value, list) else (value,))
    ]
    for name, file in files.items():
        filename = f"{stem}.{_suffix(file, suffix)}".encode()
        head = b'name="%b"; filename="%b"\r\nContent-Type: application/octet-stream' % (name.encode(), filename)
        parts.append(head + b"\r\n\r\n" + file.content)
    begin = b"--%b\r\nContent-Disposition: form-data; " % boundary
    return b"".join(begin + part + b"\r\n" for part in parts) + b"--%b--\r\n" % boundary


def _suffix(file: Upload, usual: str) -> str:
    """Providers tell the format from it; nothing else of the client's own name goes upstream."""
    suffix = file.filename.rpartition(".")[2].lower()
    fine = suffix.isascii() and suffix.isalnum() and len(suffix) <= _SUFFIX
    return suffix if fine else usual
