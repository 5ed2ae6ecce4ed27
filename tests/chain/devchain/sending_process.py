"""One sender: `python sending_process.py <rpc url> <count> <shared key> <own key>` prints the hashes it was given."""

import json
import sys

from web3 import HTTPProvider, Web3
from web3.exceptions import Web3RPCError

RECEIVER = "0x" + "77" * 20


def send_signed(w3: Web3, key: str) -> str:
    """Sign with the pending nonce; another process may have taken it meanwhile, so ask again until ours is in."""
    account = w3.eth.account.from_key(key)
    while True:
        fields = {
            "type": 2,
            "chainId": 31337,
            "nonce": w3.eth.get_transaction_count(account.address, "pending"),
            "gas": 21_000,
            "maxFeePerGas": 4 * 10**9,
            "maxPriorityFeePerGas": 10**9,
            "to": RECEIVER,
            "value": 1,
        }
        try:
            return w3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction).to_0x_hex()
        except Web3RPCError as refused:
            if "nonce too low" not in str(refused):
                raise


def main() -> None:
    url, count, shared, own = sys.argv[1:]
    w3 = Web3(HTTPProvider(url))
    sharer = w3.eth.account.from_key(shared).address
    hashes = []
    for _ in range(int(count)):
        unlocked = {"from": sharer, "to": RECEIVER, "value": 1, "gas": 21_000}
        hashes.append(w3.eth.send_transaction(unlocked).to_0x_hex())
        hashes.append(send_signed(w3, shared))
        hashes.append(send_signed(w3, own))
    print(json.dumps(hashes))  # noqa: T201 - its result, read by the test


if __name__ == "__main__":
    main()
