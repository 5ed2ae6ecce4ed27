"""A chain on which a treasury mints: nonces of authorizations count once, transactions get lost, and answers with them.

It knows one call, ``mintWithAuthorization``; what is minted is decoded from the bytes that arrive.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from mintery.chain.delivery import Delivered, Delivery
from mintery.chain.reserve_vault import ReserveVault
from mintery.chain.rpc import BlockRef, Call, Log, TxReceipt
from mintery.chain.sender import SignedTransaction
from mintery.chain.spend_escrow import SpendEscrow
from mintery.chain.test_dollar import Asset
from mintery.crypto.authorizations import mint_nonce, token_domain
from mintery.crypto.hashing import address_bytes, keccak
from mintery.crypto.keys import PrivateKey
from mintery.domain.fees import Fees
from mintery.domain.voucher import Address
from mintery.units import UNITS_PER_CREDIT, CreditUnits, Par, UnixSeconds, Wei
from mintery.usecases.call_effects import AUTHORIZATION_USED

PAR = Par(1_000_000)
VAULT = Address("0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0")
ASSET = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
MINTED = keccak(b"Minted(address,address,address,uint256,uint256)")
BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class MintChain:
    """``minted``: credits by the salt of their mint, each mint one entry."""

    random: Random
    blocks: int = 1
    waiting: dict[str, SignedTransaction] = field(default_factory=dict)
    mined: dict[str, TxReceipt] = field(default_factory=dict)
    used: dict[tuple[Address, bytes], int] = field(default_factory=dict)
    minted: list[tuple[bytes, int]] = field(default_factory=list)
    nonce_free: int = 0
    troubled: bool = True
    depegged: bool = False
    retired_at: int = 0
    public_mint: bool = True
    room: int = 10**30

    chain_id = 31_337

    @property
    def rpc(self) -> "MintChain":
        return self

    @property
    def vault(self) -> "_Vault":
        return _Vault(self, VAULT)  # type: ignore[arg-type]  # this chain is its own connection

    @property
    def asset(self) -> "_Asset":
        return _Asset(self, ASSET)  # type: ignore[arg-type]  # as above

    @property
    def oracle(self) -> "_Oracle":
        return _Oracle(self)

    @property
    def escrow(self) -> SpendEscrow:
        return SpendEscrow(self, VAULT)  # type: ignore[arg-type]  # as above

    def token(self, _address: Address) -> "_Nonces":
        return _Nonces(self)

    def block(self, number: int | str = "latest") -> BlockRef:
        at = self.blocks if isinstance(number, str) else number
        return BlockRef(at, f"0x{at:064x}", f"0x{at - 1:064x}", UnixSeconds(int(BEGAN.timestamp()) + at), Wei(1))

    def finalized_block(self) -> BlockRef:
        return self.block()

    def nonce(self, _address: Address, tag: str = "latest") -> int:
        pending = [each.nonce + 1 for each in self.waiting.values()]
        return max([self.nonce_free, *pending]) if tag == "pending" else self.nonce_free

    def receipt(self, tx_hash: str) -> TxReceipt | None:
        return self.mined.get(tx_hash)

    def agreed_receipt(self, tx_hash: str, *, through: int) -> TxReceipt | None:
        receipt = self.mined.get(tx_hash)
        return receipt if receipt is not None and receipt.block <= through else None

    def knows(self, tx_hash: str) -> bool:
        return tx_hash in self.waiting or tx_hash in self.mined

    def logs(
        self, first: int, last: int, _addresses: Iterable[Address], _topics: Sequence[bytes] = ()
    ) -> tuple[Log, ...]:
        found = [receipt for receipt in self.mined.values() if first <= receipt.block <= last]
        return tuple(each for receipt in found for each in receipt.logs if each.topics[0] == AUTHORIZATION_USED)

    def take(self, signed: SignedTransaction) -> Delivered:
        if self.troubled and self.random.random() < 0.2:
            return Delivered(Delivery.MAYBE, "no answer")
        if signed.nonce < self.nonce_free and signed.hash not in self.mined:
            return Delivered(Delivery.NONCE_USED, "nonce too low")
        self.waiting[signed.hash] = signed
        if self.troubled and self.random.random() < 0.2:
            return Delivered(Delivery.MAYBE, "no answer")
        return Delivered(Delivery.TAKEN)

    def mine(self) -> None:
        """One block, of what waits in the order of its nonces; now and then a node forgets what waits."""
        if self.troubled and self.random.random() < 0.1:
            self.waiting.clear()
        self.blocks += 1
        for signed in sorted(self.waiting.values(), key=lambda each: each.nonce):
            if signed.nonce == self.nonce_free and signed.hash not in self.mined:
                self.nonce_free += 1
                self.mined[signed.hash] = self._run(signed)
        self.waiting.clear()

    def _run(self, signed: SignedTransaction) -> TxReceipt:
        function = ReserveVault(self, VAULT).abi.functions["mintWithAuthorization"]  # type: ignore[arg-type]  # as above
        arguments = function.decode_inputs(signed.call.calldata[4:])
        payer, assets = Address(arguments["authorization"]["payer"]), arguments["authorization"]["assets"]
        token, to, salt = arguments["token"], arguments["to"], arguments["salt"]
        nonce = mint_nonce(token, payer, to, min_credit_base_units=arguments["minCredits"], salt=salt)
        block = self.block()
        if (payer, nonce) in self.used:
            return TxReceipt(signed.hash, block.number, block.hash, 1, Wei(1), False, None, ())
        self.used[payer, nonce] = block.number
        credits_ = assets * UNITS_PER_CREDIT // PAR
        self.minted.append((salt, credits_))
        words = [address_bytes(each).rjust(32, b"\0") for each in (token, payer, to)]
        amounts = credits_.to_bytes(32) + assets.to_bytes(32)
        logs = (
            Log(VAULT, (MINTED, *words), amounts, block.number, block.hash, signed.hash, 0),
            Log(ASSET, (AUTHORIZATION_USED, words[1], nonce), b"", block.number, block.hash, signed.hash, 1),
        )
        return TxReceipt(signed.hash, block.number, block.hash, 1, Wei(1), True, None, logs)


class _Vault(ReserveVault):
    def is_project(self, _token: Address, **_: object) -> bool:
        return True

    def project_of(self, _token: Address, **_: object) -> "_Project":  # type: ignore[override]  # what is asked of it
        chain: MintChain = self.rpc  # type: ignore[assignment]  # as it was made
        return _Project(chain.retired_at, chain.public_mint)

    def mint_room(self, _token: Address, **_: object) -> CreditUnits:  # type: ignore[override]  # of any block
        chain: MintChain = self.rpc  # type: ignore[assignment]  # as above
        return CreditUnits(chain.room)


@dataclass(frozen=True)
class _Oracle:
    chain: MintChain

    def depegged(self) -> bool:
        return self.chain.depegged


@dataclass(frozen=True)
class _Project:
    retired_at: int
    public_mint: bool
    par = PAR
    issuer = ASSET


class _Asset(Asset):
    def domain(self) -> bytes:
        return token_domain("Test Dollar", 31_337, ASSET)


@dataclass(frozen=True)
class _Nonces:
    chain: MintChain

    def authorization_used(self, authorizer: Address, nonce: bytes, *, at: BlockRef | None = None) -> bool:
        block = self.chain.used.get((authorizer, nonce))
        return block is not None and (at is None or block <= at.number)


@dataclass(frozen=True)
class MintSender:
    """Signs for ``key`` on that chain."""

    chain: MintChain
    key: PrivateKey

    @property
    def address(self) -> Address:
        return self.key.address

    def simulate(self, _call: Call) -> bytes:
        return b""

    def gas_limit(self, _call: Call) -> int:
        return 1

    def fees_within(self, _cap: Wei) -> Fees:
        return Fees(Wei(1), Wei(1))

    @contextmanager
    def turn(self) -> Iterator[int]:
        yield self.chain.nonce(self.address, "pending")

    def sign(self, call: Call, *, gas: int, nonce: int, fees: Fees) -> SignedTransaction:
        raw = nonce.to_bytes(8) + call.calldata
        self._signed()[raw] = signed = SignedTransaction(
            call, nonce, gas, fees.max_fee, fees.priority_fee, raw, "0x" + keccak(raw).hex()
        )
        return signed

    def restore(self, _action: str, raw: bytes) -> SignedTransaction:
        return self._signed()[raw]

    def outbid(self, _signed: SignedTransaction, *, cap: Wei) -> None:
        """Never: the same bytes go out again."""

    def deliver(self, raw: bytes) -> Delivered:
        return self.chain.take(self._signed()[raw])

    def _signed(self) -> dict[bytes, SignedTransaction]:
        return self.chain.__dict__.setdefault("signed", {})
