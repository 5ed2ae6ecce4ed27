"""The ten prefunded accounts every Ethereum development chain shares."""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_account.hdaccount import HDPath, seed_from_mnemonic
from eth_keys.datatypes import PrivateKey

DEV_MNEMONIC = "test test test test test test test test test test test junk"
DEV_ACCOUNT_COUNT = 10
DEV_BALANCE_ETHER = 10_000
ACCOUNTS_PATH = "m/44'/60'/0'/0"
WEI_PER_ETHER = 10**18


@dataclass(frozen=True, slots=True)
class DevAccount:
    """A publicly known account: its key is printed in every tutorial, so it must never hold anything of value.

    ``address`` is checksummed; ``key`` is the 32-byte secret.
    """

    address: str
    key: bytes = field(repr=False)

    @property
    def canonical_address(self) -> bytes:
        return bytes.fromhex(self.address[2:])


def dev_accounts() -> tuple[DevAccount, ...]:
    """The accounts of the well-known development mnemonic (BIP-39, BIP-44 path m/44'/60'/0'/0/i)."""
    seed = seed_from_mnemonic(DEV_MNEMONIC, "")
    keys = [PrivateKey(HDPath(f"{ACCOUNTS_PATH}/{index}").derive(seed)) for index in range(DEV_ACCOUNT_COUNT)]
    return tuple(DevAccount(key.public_key.to_checksum_address(), key.to_bytes()) for key in keys)
