from pathlib import Path

import pytest

from mintery.chain.artifact import CONTRACTS, load_artifact
from mintery.chain.compiler import Compiler, compile_contracts, find_compiler
from mintery.chain.compiler_input import Profile
from mintery.errors import CompilationFailed, CompilerMissing, MalformedFile


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A contracts directory of its own, with nothing installed."""
    (tmp_path / "package.json").write_text('{"devDependencies": {"solc": "0.8.37"}}')
    (tmp_path / "foundry.toml").write_text(
        '[profile.default]\nevm_version = "cancun"\nvia_ir = true\noptimizer = true\noptimizer_runs = 1\n'
        'bytecode_hash = "none"\ncbor_metadata = false\nremappings = ["@lib/=lib/"]\n'
    )
    return tmp_path


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path / "solcx"))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("nothing_installed")
def test_no_compiler_anywhere_names_every_place_that_was_tried(project: Path):
    with pytest.raises(CompilerMissing) as raised, find_compiler(project, download=False):
        pass

    assert raised.value.tried == (
        "py-solc-x's solc 0.8.37 (not installed)",
        "npm's solc in contracts/node_modules (not installed)",
    )
    assert "SOLC" in raised.value.hint


def test_a_named_compiler_that_does_not_run_is_not_replaced_by_another(project: Path):
    with (
        pytest.raises(CompilerMissing, match=r"SOLC=/nowhere/solc \(does not run"),
        find_compiler(project, solc=Path("/nowhere/solc")),
    ):
        pass


def test_a_compiler_that_is_too_old_is_refused(project: Path):
    old = project / "solc"
    old.write_text("#!/bin/sh\necho 'Version: 0.8.19+commit.7dd6d404.Linux.g++'\n")
    old.chmod(0o700)

    with (
        pytest.raises(CompilerMissing, match=r"0\.8\.19\+commit\.7dd6d404, older than 0\.8\.30"),
        find_compiler(project, solc=old),
    ):
        pass


def test_the_packaged_compiler_runs_without_node_on_the_path(contracts_dir: Path, nothing_installed: None):
    with find_compiler(contracts_dir, download=False) as found:
        assert found.version.startswith("0.8.37+commit.")


def test_what_does_not_compile_shows_the_compilers_words(project: Path, compiler: Compiler):
    (project / "Broken.sol").write_text("pragma solidity ^0.8.30;\ncontract Broken { uint256 x = true; }\n")

    with pytest.raises(CompilationFailed, match="bool is not implicitly convertible to expected type uint256"):
        compile_contracts(project, compiler, {"Broken": "Broken.sol"})


def test_a_compiler_that_talks_nonsense(project: Path):
    (project / "Fine.sol").write_text("pragma solidity ^0.8.30;\ncontract Fine {}\n")
    babbler = project / "solc"
    babbler.write_text("#!/bin/sh\necho 'Version: 0.8.37+commit.f401782d'\n")
    babbler.chmod(0o700)

    with find_compiler(project, solc=babbler) as found, pytest.raises(CompilationFailed, match="else than JSON"):
        compile_contracts(project, found, {"Fine": "Fine.sol"})


def test_a_missing_import_names_the_file(project: Path, compiler: Compiler):
    (project / "Lost.sol").write_text('pragma solidity ^0.8.30;\nimport {Gone} from "@lib/Gone.sol";\n')

    with pytest.raises(MalformedFile, match=r"lib/Gone\.sol"):
        compile_contracts(project, compiler, {"Lost": "Lost.sol"})


def test_settings_are_forges(contracts_dir: Path):
    settings = Profile.read(contracts_dir).settings

    assert settings["evmVersion"] == "cancun"
    assert settings["viaIR"] is True
    assert settings["metadata"] == {"appendCBOR": False, "bytecodeHash": "none"}


def test_no_shipped_contract_passes_the_size_of_creation_code():
    assert {name for name in CONTRACTS if len(load_artifact(name).creation_code) > 49_152} == set()
