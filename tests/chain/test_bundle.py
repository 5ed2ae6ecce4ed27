"""From a bundle alone, with the compiler that it names, everything on the chain can be built again, byte for byte; and so can
the artifacts that ship.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mintery.chain import compiler as compiling
from mintery.chain.artifact import CONTRACTS
from mintery.chain.bundle import CONTRACTS_FILE, INPUT_FILE, OpenedToken, bundle_contracts, write_bundle
from mintery.chain.compiler import Compiler, artifact_texts
from mintery.chain.deploy import salt_of
from mintery.chain.deployment import load_deployment
from mintery.chain.events import ProjectOpened, events_of
from mintery.chain.factory import create2_address
from mintery.chain.terms import Terms
from mintery.domain.voucher import Kind
from mintery.errors import SourcesDiffer
from mintery.units import AssetUnits, BasisPoints, CreditUnits, Par

Built = Mapping[str, Mapping[str, Any]]
ARTIFACTS = Path(compiling.__file__).parent / "artifacts"


@pytest.fixture
def bundle(world: Any, contracts_dir: Path, tmp_path: Path) -> Path:
    """Of a deployment with one project."""
    terms = Terms(
        name="Project X AI Credits",
        symbol="PROJECTX_AI_CREDITS",
        par=Par(1_000_000),
        markup=BasisPoints(0),
        fee_recipient=world.issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=(1,),
        allowlist=True,
        mint_cap=CreditUnits(10**24),
        payout_cap=AssetUnits(10**12),
    )
    vault = world.contracts.vault
    opened = next(events_of(vault.open_project(world.issuer, terms).logs, vault.address, ProjectOpened))
    token = OpenedToken(opened.token, terms.name, terms.symbol, terms.allowlist)
    deployment = load_deployment(world.path)
    entries = bundle_contracts(contracts_dir, deployment, vault.token_deployer(), [token])
    write_bundle(tmp_path / "bundle", contracts_dir, deployment, entries)
    return tmp_path / "bundle"


def masked(code: str, references: Mapping[str, list[dict[str, int]]]) -> bytes:
    """Without the immutables, which the constructor wrote."""
    blank = bytearray.fromhex(code)
    for places in references.values():
        for place in places:
            start, length = place["start"], place["length"]
            blank[start : start + length] = bytes(length)
    return bytes(blank)


def test_every_contract_is_built_again_byte_for_byte(
    world: Any, bundle: Path, bundle_input: dict[str, Any], built_from_bundle: Built, compiler: Compiler
):
    listed = json.loads((bundle / CONTRACTS_FILE).read_text())

    # What `built_from_bundle` was compiled from is what the file says.
    assert json.loads((bundle / INPUT_FILE).read_text()) == bundle_input
    assert {entry["name"] for entry in listed} == {
        *load_deployment(world.path).contracts,
        "CreditTokenDeployer",
        "PROJECTX_AI_CREDITS",
    }
    for entry in listed:
        unit, _, name = entry["contract"].partition(":")
        built = built_from_bundle[unit][name]["evm"]["deployedBytecode"]
        on_chain = world.rpc.code(entry["address"])
        assert masked(on_chain.hex(), built["immutableReferences"]) == masked(
            built["object"], built["immutableReferences"]
        ), entry["name"]
        assert entry["compiler"] == f"v{compiler.version}"
        assert entry["chain_id"] == world.rpc.chain_id


def test_code_and_arguments_are_what_the_address_was_made_from(world: Any, bundle: Path, built_from_bundle: Built):
    """CREATE2: the address is a hash of the init code, so the encoded arguments are proven with it."""
    deployment = load_deployment(world.path)
    checked = set()
    for entry in json.loads((bundle / CONTRACTS_FILE).read_text()):
        unit, _, name = entry["contract"].partition(":")
        if entry["name"] not in deployment.contracts or name == "MinteryFactory":
            continue
        code = built_from_bundle[unit][name]["evm"]["bytecode"]["object"]
        init_code = bytes.fromhex(code + entry["constructor_arguments"])
        assert create2_address(deployment.factory, salt_of(name), init_code) == entry["address"]
        checked.add(entry["name"])

    assert checked == set(deployment.contracts) - {"MinteryFactory"}


def test_other_sources_are_refused(world: Any, contracts_dir: Path):
    deployment = load_deployment(world.path)
    older = {
        **deployment.contracts,
        "ReserveVault": replace(deployment.contracts["ReserveVault"], source_hash="0" * 64),
    }

    with pytest.raises(SourcesDiffer) as refused:
        bundle_contracts(contracts_dir, replace(deployment, contracts=older), deployment.vault, [])

    assert refused.value.contract == "ReserveVault"


def test_the_shipped_artifacts_are_these_sources_byte_for_byte(
    contracts_dir: Path, compiler: Compiler, built_from_bundle: Built
):
    rebuilt = artifact_texts(contracts_dir, compiler, built=built_from_bundle)

    assert sorted(rebuilt) == sorted(CONTRACTS) == sorted(path.stem for path in ARTIFACTS.glob("*"))
    stale = [name for name, text in rebuilt.items() if (ARTIFACTS / f"{name}.json").read_text() != text]
    assert stale == [], "run `python -m mintery.chain.compiler`"
