"""What a holder's wallet is asked to sign so that a top-up's credits come into the holder's account."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mintery.crypto.authorizations import RECEIVE_TYPE, deposit_nonce, top_up_nonce
from mintery.crypto.typed_data import typed_data
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import MoveRefused
from mintery.units import AssetUnits, credit_units, format_assets, nanocredits_of_assets_down
from mintery.usecases.contract_wallets import check_deposits_by_key, check_pays_by_key
from mintery.usecases.deposit_credits import SALT_BYTES
from mintery.usecases.relay import Relay


class TopUpWay(StrEnum):
    DOLLARS = "dollars"
    """From the holder's own stablecoin: the signature pays."""
    DEPOSIT = "deposit"
    """Paid elsewhere: the signature puts the credits that come of it into the account."""


SECONDS = {TopUpWay.DOLLARS: 900, TopUpWay.DEPOSIT: 30 * 86_400}
"""How long each is good for. A payment by bank may take weeks until somebody has looked at it."""


@dataclass(frozen=True, slots=True)
class TopUpOffer:
    """``fields`` are what an order takes beside the signature, as JSON values."""

    typed_data: dict[str, Any]
    fields: dict[str, Any]


def offer_top_up(
    relay: Relay,
    gateway: Address,
    *,
    way: TopUpWay,
    holder: Address,
    token: Address,
    assets: AssetUnits,
    signer: Address | None = None,
) -> TopUpOffer:
    """``assets`` at par with USD. Nothing is sent, and nothing is set aside. ``signer``: of the account that the credits go into; the
    holder where left out.

    Raises:
        MoveRefused: the holder's wallet has less of the stablecoin.
        OwnTransactionNeeded, SignerNeeded: of a contract wallet.
        AssetNotSignable, TransactionReverted (UnknownProject), RpcUnavailable
    """
    chain = relay.chain
    key = AccountKey(token, gateway, holder, signer or holder)
    bought = credit_units(nanocredits_of_assets_down(assets, chain.vault.project_of(token).par))
    if way is TopUpWay.DOLLARS:
        check_pays_by_key(chain, holder, token, assets, bought)
    else:
        check_deposits_by_key(chain, key, bought)
    salt, until = secrets.token_bytes(SALT_BYTES), relay.until(SECONDS[way])
    if way is TopUpWay.DOLLARS:
        has = chain.asset.balance_of(holder)
        if has < assets:
            raise MoveRefused(
                f"the wallet holds {format_assets(has)} dollars and {format_assets(assets)} were asked for"
            )
        payee, amount, nonce = chain.vault.address, int(assets), top_up_nonce(key, bought, salt)
        name, version, contract = chain.asset.token_name(), chain.asset.signing_version(), chain.asset.address
    else:
        payee, amount, nonce = chain.escrow.address, int(bought), deposit_nonce(key, bought, salt)
        name, version, contract = chain.token(token).token_name(), "1", token
    asked = typed_data(
        RECEIVE_TYPE,
        holder,
        payee,
        amount,
        0,
        until,
        nonce,
        name=name,
        version=version,
        chain_id=chain.rpc.chain_id,
        contract=contract,
    )
    fields = {
        "from": holder,
        "to": payee,
        "amount": str(amount),
        "valid_after": 0,
        "valid_before": until,
        "nonce": nonce.hex(),
        "salt": salt.hex(),
    }
    if way is TopUpWay.DOLLARS:
        fields["min_credits"] = str(bought)
    return TopUpOffer(asked, fields)
