"""Puts together what takes top-up orders."""

from datetime import timedelta

from mintery.bootstrap.opening import relayer_key
from mintery.crypto.keys import PrivateKey
from mintery.domain.card_caps import CardCaps
from mintery.domain.voucher import Address
from mintery.ledger.store import LedgerStore
from mintery.rails.cards import CardRail
from mintery.settings import Settings, required
from mintery.units import parse_assets, parse_gwei
from mintery.usecases.alarms import Alarms
from mintery.usecases.onchain import OnChain
from mintery.usecases.order_desk import OrderDesk, Treasury

PRODUCT = "AI credits"


def build_desk(
    settings: Settings, chain: OnChain, ledger: LedgerStore, alarms: Alarms, *, gateway: Address, settler: PrivateKey
) -> OrderDesk:
    """Raises SettingMissing: cards are taken and their webhooks could not be told from forged ones."""
    key = _treasury_key(settings, local=chain.rpc.is_local)
    return OrderDesk(
        chain=chain,
        ledger=ledger,
        gateway=gateway,
        alarms=alarms,
        cards=_cards(settings),
        bank_details=settings.bank_details,
        treasury=None if key is None else Treasury(key, chain.sender(key)),
        settler=chain.sender(settler),
        card_caps=CardCaps(
            holder=parse_assets(format(settings.card_daily_cap_per_holder, "f")),
            whole=parse_assets(format(settings.card_daily_cap, "f")),
        ),
        card_hold=timedelta(seconds=settings.card_hold_seconds),
        bump_after=settings.bump_after,
        max_fee=parse_gwei(format(settings.max_fee_gwei, "f")),
    )


def _treasury_key(settings: Settings, *, local: bool) -> PrivateKey | None:
    if settings.treasury_key is not None:
        return PrivateKey.from_hex(settings.treasury_key.get_secret_value())
    return relayer_key(settings, local=local)


def _cards(settings: Settings) -> CardRail | None:
    if settings.stripe_key is None:
        return None
    from mintery.rails.stripe_cards import StripeCards  # noqa: PLC0415 -- Stripe's library is large, and few take cards

    secret = required(
        settings.stripe_webhook_secret, "stripe_webhook_secret", "it tells Stripe's webhooks from forged ones"
    )
    public = settings.public_url or f"http://{settings.host}:{settings.port}"
    return StripeCards(
        settings.stripe_key.get_secret_value(),
        secret,
        return_url=f"{public}/wallet/top-up?order={{order}}",
        product=PRODUCT,
        api_url=settings.stripe_url,
    )
