"""Write the bundle that block explorers verify the contracts of a chain with."""

from pathlib import Path

from mintery.chain.bundle import OpenedToken, VerifiedContract, bundle_contracts, write_bundle
from mintery.usecases.find_projects import find_projects
from mintery.usecases.onchain import OnChain


def bundle_sources(chain: OnChain, contracts_dir: Path, directory: Path) -> list[VerifiedContract]:
    """The entries, in the order of the file.

    Raises:
        SourcesDiffer, MalformedFile
    """
    tokens = [
        OpenedToken(opened.token, opened.terms.name, opened.terms.symbol, opened.terms.allowlist)
        for opened in find_projects(chain)
    ]
    entries = bundle_contracts(contracts_dir, chain.deployment, chain.vault.token_deployer(), tokens)
    write_bundle(directory, contracts_dir, chain.deployment, entries)
    return entries
