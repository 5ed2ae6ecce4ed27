"""The list of words that no page shows which everybody uses."""

import re

FORBIDDEN = (
    "blockchain", "on-chain", "onchain", "crypto", "cryptocurrency", "gas", "gwei", "wei", "ether", "ethereum", "nonce", "hash",
    "hex", "erc-20", "erc20", "eip", "ecdsa", "keccak", "calldata", "smart contract", "contract", "contracts", "dapp", "web3",
    "defi", "nft", "mint", "minting", "minted", "burn", "burned", "burns", "escrow", "voucher", "vouchers", "epoch", "settlement",
    "settle", "settled", "settler", "oracle", "rpc", "node", "mainnet", "testnet", "ledger", "seed phrase", "private key",
    "mnemonic", "metamask", "stablecoin", "stablecoins", "usdc", "usdt", "token", "tokens", "redeem", "nanocredit", "nanocredits", "basis points", "wad", "bps",
    "signer", "relayer", "vault", "confirmations", "block", "blocks", "protocol", "decentralized", "signature", "typed data",
)  # fmt: skip
_OF_MODELS = re.compile(r"\b(input|output|image|audio|reasoning|text|write|read)[ _]tokens?\b", re.IGNORECASE)
"""What a model counts is called tokens everywhere."""
_WORDS = re.compile(r"\b(" + "|".join(re.escape(word) for word in FORBIDDEN) + r")\b", re.IGNORECASE)


_REFERENCE = re.compile(r"\bMINT-[A-Z2-7]{4}-[A-Z2-7]+\b")
"""What a bank transfer must say is a name and no word."""


def forbidden_in(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(_REFERENCE.sub(" ", _OF_MODELS.sub(" ", text)))]
