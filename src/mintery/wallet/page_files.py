"""The pages' files: read once, told apart by what is in them, and nothing else of the disk is ever served."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CONTENT_TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """``etag`` is quoted, as headers carry it."""

    content: bytes
    content_type: str
    etag: str


@cache
def page_files() -> Mapping[str, PageFile]:
    """By name. Everything in ``mintery/wallet/pages`` that a browser may ask for."""
    found = {}
    for entry in files("mintery.wallet").joinpath("pages").iterdir():
        kind = entry.name.rpartition(".")[2]
        if kind in CONTENT_TYPES:
            found[entry.name] = page_file(entry.read_bytes(), kind)
    return found


def page_file(content: bytes, kind: str) -> PageFile:
    """``kind``: a key of ``CONTENT_TYPES``."""
    return PageFile(content, CONTENT_TYPES[kind], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
