"""Put credits where a gateway may spend them by voucher: by approval, or by one signature that anyone relays."""

import secrets
from dataclasses import dataclass

from mintery.chain.credit_token import Authorization
from mintery.chain.events import Deposited, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.authorizations import deposit_nonce
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountId, AccountKey
from mintery.units import CreditUnits, UnixSeconds
from mintery.usecases.onchain import OnChain

SALT_BYTES = 32
AUTHORIZATION_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class DepositedCredits:
    account: AccountId
    key: AccountKey
    credits: CreditUnits
    tx: TxReceipt


@dataclass(frozen=True, slots=True)
class SignedDeposit:
    """What the holder hands to a relayer. It can be used for this deposit alone, and once."""

    key: AccountKey
    salt: bytes
    authorization: Authorization


def deposit_credits(chain: OnChain, holder: Sender, key: AccountKey, credits_: CreditUnits) -> DepositedCredits:
    """Sent by the account's holder; the escrow's approval is raised to exactly ``credits_`` if need be.

    Raises:
        TransactionReverted: NotWholeNanocredits, DepositNotAccepted, BalanceAboveLimit, ERC20InsufficientBalance.
    """
    token = chain.token(key.token)
    if token.allowance(holder.address, chain.escrow.address) < credits_:
        token.approve(holder, chain.escrow.address, credits_)
    return _deposited(chain, key, chain.escrow.deposit(holder, key, credits_))


def sign_deposit(
    chain: OnChain,
    holder: PrivateKey,
    key: AccountKey,
    credits_: CreditUnits,
    *,
    valid_for: int = AUTHORIZATION_SECONDS,
) -> SignedDeposit:
    """The holder's one signature, good for ``valid_for`` seconds of the chain's time. Nothing is sent."""
    salt = secrets.token_bytes(SALT_BYTES)
    authorization = chain.token(key.token).sign_authorization(
        holder,
        chain.escrow.address,
        credits_,
        nonce=deposit_nonce(key, credits_, salt),
        valid_before=UnixSeconds(chain.rpc.block().timestamp + valid_for),
        receive=True,
    )
    return SignedDeposit(key, salt, authorization)


def relay_deposit(chain: OnChain, relayer: Sender, signed: SignedDeposit) -> DepositedCredits:
    """Anyone may relay it; the credits go into the account that the holder signed for.

    Raises:
        TransactionReverted: InvalidAuthorizationSignature, AuthorizationUsed, AuthorizationExpired, and a deposit's own.
    """
    tx = chain.escrow.deposit_with_authorization(relayer, signed.key, signed.salt, signed.authorization)
    return _deposited(chain, signed.key, tx)


def _deposited(chain: OnChain, key: AccountKey, tx: TxReceipt) -> DepositedCredits:
    deposited = next(events_of(tx.logs, chain.escrow.address, Deposited))
    return DepositedCredits(account_id(key), key, deposited.credits, tx)
