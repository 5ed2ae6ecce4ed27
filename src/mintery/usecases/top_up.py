"""From the asset into an escrow account by the holder's one signature, which anyone relays."""

import secrets
from dataclasses import dataclass

from mintery.chain.credit_token import Authorization
from mintery.chain.events import Deposited, Minted, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.authorizations import top_up_nonce
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountId, AccountKey
from mintery.units import AssetUnits, CreditUnits, UnixSeconds, credit_units, nanocredits_of_assets_down
from mintery.usecases.deposit_credits import AUTHORIZATION_SECONDS, SALT_BYTES
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class SignedTopUp:
    """What the holder hands to a relayer. It can be used for this top-up alone, and once.

    Attributes:
        min_credits: least credits for the account; fewer and nothing happens.
        authorization: of the asset, to the vault.
    """

    key: AccountKey
    salt: bytes
    min_credits: CreditUnits
    authorization: Authorization


@dataclass(frozen=True, slots=True)
class ToppedUp:
    """``credits`` are the account's; ``remainder``, less than a nanocredit, went to the holder's wallet."""

    account: AccountId
    key: AccountKey
    assets: AssetUnits
    credits: CreditUnits
    remainder: CreditUnits
    tx: TxReceipt


def sign_top_up(
    chain: OnChain,
    holder: PrivateKey,
    key: AccountKey,
    assets: AssetUnits,
    *,
    valid_for: int = AUTHORIZATION_SECONDS,
) -> SignedTopUp:
    """The holder's one signature, good for ``valid_for`` seconds of the chain's time. Nothing is sent.

    Raises:
        TransactionReverted: UnknownProject.
    """
    par = chain.vault.project_of(key.token).par
    min_credits = credit_units(nanocredits_of_assets_down(assets, par))
    salt = secrets.token_bytes(SALT_BYTES)
    authorization = chain.asset.sign_authorization(
        holder,
        chain.vault.address,
        assets,
        nonce=top_up_nonce(key, min_credits, salt),
        valid_before=UnixSeconds(chain.rpc.block().timestamp + valid_for),
        receive=True,
    )
    return SignedTopUp(key, salt, min_credits, authorization)


def relay_top_up(chain: OnChain, relayer: Sender, signed: SignedTopUp) -> ToppedUp:
    """Anyone may relay it; the credits go into the account that the holder signed for.

    Raises:
        TransactionReverted: InvalidAuthorizationSignature, AuthorizationAlreadyUsed, AuthorizationExpired,
            TopUpBelowMinimum, or a mint's or a deposit's own.
    """
    tx = chain.escrow.top_up(relayer, signed.key, signed.salt, signed.authorization, min_credits=signed.min_credits)
    minted = next(events_of(tx.logs, chain.vault.address, Minted))
    deposited = next(events_of(tx.logs, chain.escrow.address, Deposited))
    return ToppedUp(
        account=account_id(signed.key),
        key=signed.key,
        assets=minted.assets,
        credits=deposited.credits,
        remainder=CreditUnits(minted.credits - deposited.credits),
        tx=tx,
    )
