"""MinteryFactory: CREATE2, so that equal code and arguments have equal addresses."""

from mintery.chain.contract import Contract
from mintery.chain.rpc import Call, Rpc
from mintery.crypto.hashing import address_bytes, checksum_address, keccak
from mintery.domain.voucher import Address

PROXY = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
"""Deploys by CREATE2, for whoever sends it a salt and init code: it stands at this address on nearly every public chain, so
what it deploys stands at one address on all of them, whoever deploys it and however much they sent before."""


class Factory(Contract):
    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "MinteryFactory", address)

    def deploy_call(self, salt: bytes, init_code: bytes) -> Call:
        return self.call("deploy", salt, init_code)

    def address_of(self, salt: bytes, init_code: bytes) -> Address:
        """EIP-1014: where ``init_code`` stands, or will stand. Computed here; the chain is not asked."""
        return create2_address(self.address, salt, init_code)

    def deployed_blocks(self) -> dict[Address, int]:
        """The block of everything that this factory deployed.

        Raises:
            RpcRefused: the rpc does not search that far back.
        """
        (deployed,) = (topic for topic, event in self.abi.events.items() if event.name == "Deployed")
        logs = self.rpc.logs(0, self.rpc.block().number, [self.address], [deployed])
        return {checksum_address(log.topics[1][12:]): log.block for log in logs}


def create2_address(deployer: Address, salt: bytes, init_code: bytes) -> Address:
    """EIP-1014: keccak256(0xff ++ deployer ++ salt ++ keccak256(init code))[12:]."""
    return checksum_address(keccak(b"\xff" + address_bytes(deployer) + salt + keccak(init_code))[12:])


def created_address(deployer: Address, nonce: int) -> Address:
    """Where a plain creation by ``deployer`` at ``nonce`` stands: keccak256(rlp([deployer, nonce]))[12:]."""
    encoded = b"\x94" + address_bytes(deployer) + _rlp_number(nonce)
    return checksum_address(keccak(bytes([0xC0 + len(encoded)]) + encoded)[12:])


def _rlp_number(number: int) -> bytes:
    raw = number.to_bytes((number.bit_length() + 7) >> 3)
    return raw if len(raw) == 1 and raw[0] < 0x80 else bytes([0x80 + len(raw)]) + raw
