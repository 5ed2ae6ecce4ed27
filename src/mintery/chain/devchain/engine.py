"""py-evm under eth-tester, one block per transaction.

Nothing here may be called from two threads: the chain's one executor thread owns an engine.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth.abc import BlockHeaderAPI, SignedTransactionAPI, StateAPI
from eth.vm.chain_context import ChainContext
from eth.vm.forks.cancun import CancunVM
from eth_tester import PyEVMBackend
from eth_typing import Address

from mintery.chain.devchain.accounts import (
    ACCOUNTS_PATH,
    BLOCK_GAS_LIMIT,
    DEV_ACCOUNT_COUNT,
    DEV_BALANCE_ETHER,
    WEI_PER_ETHER,
)
from mintery.chain.devchain.blocks import BlockIndex, MinedBlock, MinedTransaction, created_address
from mintery.chain.devchain.clock import Clock
from mintery.chain.devchain.codec import word
from mintery.chain.devchain.logs import LogEntry, LogIndex
from mintery.crypto.keys import DEV_MNEMONIC


class SharedSecondVM(CancunVM):
    """Cancun, except that a block may carry its parent's timestamp (see ``Clock`` for why)."""

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        if header.timestamp == parent_header.timestamp:
            parent_header = parent_header.copy(timestamp=header.timestamp - 1)
        super().validate_header(header, parent_header)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What ``evm_revert`` goes back to."""

    head_number: int
    clock_offset: int


class Engine:
    """The chain's state, its blocks and its logs.

    ``genesis_time`` fixes the genesis block, hash included; without it every engine starts a chain of its own.
    """

    def __init__(self, chain_id: int, wall: Callable[[], float], genesis_time: int | None = None) -> None:
        self.chain_id = chain_id
        self.clock = Clock(wall)
        backend = _start_backend(
            timestamp=int(wall()) if genesis_time is None else genesis_time,
            salt=secrets.token_bytes(16) if genesis_time is None else b"",
        )
        self._chain: Any = backend.chain
        # eth-tester makes a chain class per backend and fixes its id; no constructor argument reaches it.
        type(self._chain).chain_id = chain_id
        self._keys = {key.public_key.to_canonical_address(): key for key in backend.account_keys}
        self.blocks = BlockIndex(_as_mined(self._chain.get_canonical_block_by_number(0), None))
        self.logs = LogIndex()
        self._snapshots: dict[int, Snapshot] = {}
        self._snapshot_ids = itertools.count(1)
        self._head_state: tuple[bytes, StateAPI] | None = None

    @property
    def head(self) -> MinedBlock:
        return self.blocks.head

    @property
    def transaction_builder(self) -> Any:
        return SharedSecondVM.get_transaction_builder()

    @property
    def dev_addresses(self) -> tuple[Address, ...]:
        return tuple(self._keys)

    def sign(self, sender: Address, unsigned: Any) -> SignedTransactionAPI:
        """``unsigned``, a transaction of py-evm's builder, signed by the development account ``sender``."""
        key = self._keys[sender]
        # py-evm signs into an older fork's class, which this fork's blocks cannot encode.
        encoded = unsigned.as_signed_transaction(key, chain_id=self.chain_id).encode()
        signed: SignedTransactionAPI = self.transaction_builder.decode(encoded)
        return signed

    def next_header(self) -> BlockHeaderAPI:
        """The header the next block would start from, if it were made now."""
        return self._child_header(self.clock.peek(self.head.timestamp))

    def next_base_fee(self) -> int:
        """The next block's base fee, in wei per gas."""
        return int(self.next_header().base_fee_per_gas or 0)

    def state_at(self, header: BlockHeaderAPI) -> StateAPI:
        """The state ``header`` leads to, with that header as context and a base fee of 0, so calls cost nothing.

        For the next header this is the head's state in the next block's context.
        """
        return SharedSecondVM.build_state(
            self._chain.chaindb.db,
            header.copy(base_fee_per_gas=0),
            ChainContext(self.chain_id),
            SharedSecondVM.get_prev_hashes(header.parent_hash, self._chain.chaindb) or (),
        )

    def head_state(self) -> StateAPI:
        """The head's state for reading balances, nonces and the like. Nothing may be executed on it."""
        if self._head_state is None or self._head_state[0] != self.head.hash:
            self._head_state = (self.head.hash, self.state_at(self.head.header))
        return self._head_state[1]

    def mine(self, signed: SignedTransactionAPI | None = None) -> MinedBlock:
        """Make one block, holding ``signed`` if given, and return it.

        Raises:
            eth_utils.ValidationError: the transaction cannot enter a block. The chain is as before.
        """
        parent_time = self.head.timestamp
        self._chain.header = self.next_header()
        imported, receipts, computations = self._chain.mine_all([] if signed is None else [signed])
        self.clock.take(parent_time)
        body = imported.imported_block
        if signed is None:
            block = _as_mined(body, None)
        else:
            block = _as_mined(body, _as_mined_transaction(signed, receipts[0], computations[0], body.header))
        self.blocks.append(block)
        self._index_logs(block)
        return block

    def snapshot(self) -> int:
        """Remember the head and the clock; the returned id (from 1) goes to ``revert``."""
        snapshot_id = next(self._snapshot_ids)
        self._snapshots[snapshot_id] = Snapshot(self.head.number, self.clock.offset)
        return snapshot_id

    def revert(self, snapshot_id: int) -> bool:
        """Go back to a snapshot; it and every later one are used up. False if there is none with this id."""
        snapshot = self._snapshots.get(snapshot_id)
        if snapshot is None:
            return False
        self._snapshots = {earlier: kept for earlier, kept in self._snapshots.items() if earlier < snapshot_id}
        self.blocks.truncate(snapshot.head_number)
        self.logs.truncate(snapshot.head_number)
        self.clock.restore(snapshot.clock_offset)
        return True

    def _child_header(self, timestamp: int) -> BlockHeaderAPI:
        header: BlockHeaderAPI = self._chain.create_header_from_parent(self.head.header, timestamp=timestamp)
        return header

    def _index_logs(self, block: MinedBlock) -> None:
        if block.transaction is None:
            return
        for index, log in enumerate(block.transaction.receipt.logs):
            self.logs.append(
                LogEntry(
                    address=bytes(log.address),
                    topics=tuple(word(topic) for topic in log.topics),
                    body=bytes(log.data),
                    block_number=block.number,
                    block_hash=block.hash,
                    block_time=block.timestamp,
                    transaction_hash=block.transaction.hash,
                    index=index,
                )
            )


def _start_backend(timestamp: int, salt: bytes) -> PyEVMBackend:
    genesis: dict[str, Any] = {"timestamp": timestamp, "extra_data": salt, "gas_limit": BLOCK_GAS_LIMIT}
    return PyEVMBackend.from_mnemonic(
        DEV_MNEMONIC,
        num_accounts=DEV_ACCOUNT_COUNT,
        hd_path=ACCOUNTS_PATH,
        genesis_state_overrides={"balance": DEV_BALANCE_ETHER * WEI_PER_ETHER},
        genesis_parameters=PyEVMBackend.generate_genesis_params(genesis),
        vm_configuration=((0, SharedSecondVM),),
    )


def _as_mined(body: Any, transaction: MinedTransaction | None) -> MinedBlock:
    return MinedBlock(body.number, bytes(body.hash), body.header, body, transaction)


def _as_mined_transaction(signed: Any, receipt: Any, computation: Any, header: Any) -> MinedTransaction:
    return MinedTransaction(
        signed=signed,
        receipt=receipt,
        hash=bytes(signed.hash),
        type=signed.type_id or 0,
        sender=signed.sender,
        to=bytes(signed.to) or None,
        created=created_address(signed, computation),
        gas_used=receipt.gas_used,
        gas_price=min(signed.max_fee_per_gas, signed.max_priority_fee_per_gas + header.base_fee_per_gas),
    )
