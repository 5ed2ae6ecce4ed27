"""The Solidity sources of one build: the shipped contracts and everything they import."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from mintery.errors import MalformedFile

_IMPORT = re.compile(r"^\s*import\s+(?:[^;\"']*?\s+from\s+)?[\"']([^\"']+)[\"']\s*;", re.MULTILINE)


def read_sources(contracts_dir: Path, roots: Iterable[str], remappings: Mapping[str, str]) -> dict[str, str]:
    """Source text by unit name (a path relative to ``contracts_dir``), for ``roots`` and all they import.

    Raises:
        MalformedFile: an import names a file that is not there.
    """
    sources: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        unit = waiting.pop()
        if unit in sources:
            continue
        path = contracts_dir / unit
        if not path.is_file():
            raise MalformedFile(str(path), "an imported source is missing; run `npm ci` in contracts/")
        sources[unit] = path.read_text(encoding="utf-8")
        waiting += [_resolve(target, unit, remappings) for target in _IMPORT.findall(sources[unit])]
    return dict(sorted(sources.items()))


def _resolve(target: str, importer: str, remappings: Mapping[str, str]) -> str:
    if target.startswith("."):
        return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))
    for prefix, replacement in remappings.items():
        if target.startswith(prefix):
            return replacement + target.removeprefix(prefix)
    return target
