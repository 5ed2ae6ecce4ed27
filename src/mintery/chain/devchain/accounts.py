"""What both engines start from: the ten prefunded accounts every Ethereum development chain shares, and its limits.

Their keys are printed in every tutorial, so they must never hold anything of value.
"""

from mintery.crypto.keys import PrivateKey, dev_key

DEV_CHAIN_ID = 31_337
DEV_ACCOUNT_COUNT = 10
DEV_BALANCE_ETHER = 10_000
ACCOUNTS_PATH = "m/44'/60'/0'/0"
WEI_PER_ETHER = 10**18
BLOCK_GAS_LIMIT = 30_000_000


def dev_accounts() -> tuple[PrivateKey, ...]:
    """Accounts 0 to 9 of the well-known development mnemonic."""
    return tuple(dev_key(index) for index in range(DEV_ACCOUNT_COUNT))
