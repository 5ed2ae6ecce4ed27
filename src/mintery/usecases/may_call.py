"""Whether a key can call a model now, before anything is sent: what a request for it would be refused for, whatever it asks."""

from collections.abc import Iterable
from typing import Any

from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.price import check_sellable
from mintery.domain.route_shelf import Rejection
from mintery.errors import (
    CredentialRefused,
    InsufficientBalance,
    LimitReached,
    MalformedVoucher,
    MinteryError,
    VoucherExhausted,
    WrongEpoch,
    snake_case,
)
from mintery.units import UsdWad
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import refusal_of
from mintery.usecases.quote_request import check_covered, check_market_open, check_provider_open
from mintery.usecases.verify_credential import Credential, check_may_spend

Refused = CredentialRefused | MalformedVoucher


class MayCall:
    """One key at one reading of the market. ``credential``: or why the key is none."""

    def __init__(self, parts: GatewayParts, market: Market, credential: Credential | Refused) -> None:
        self._parts = parts
        self._market = market
        self._now = parts.chain_now(market)
        self._credential = credential
        self._late = self._out_of_funds(credential) if isinstance(credential, Credential) else None

    def model(self, model: Model) -> dict[str, Any]:
        """``callable``, and otherwise ``code`` and ``why`` as a request would be told, as JSON values. Who names one route gets
        that one, however it has answered lately.
        """
        return _told(self._reason_against(model) or self._late)

    def any_of(self, name: str, models: Iterable[Model]) -> dict[str, Any]:
        """Of a name that several go by: whether one of them can be called, that is not closed for how it has answered."""
        barred = self._parts.routes.health.barred(self._parts.clock().timestamp())
        rejected = []
        for model in models:
            if (reason := self._reason_against(model) or barred.get(model.id)) is None:
                return _told(self._late)
            rejected.append(Rejection(model.id, reason))
        return _told(refusal_of(name, rejected))

    def _reason_against(self, model: Model) -> MinteryError | None:
        """In the order in which a request is refused."""
        parts, market, credential = self._parts, self._market, self._credential
        if not isinstance(credential, Credential):
            return credential
        project = market.projects[credential.admits.voucher.token]
        try:
            check_may_spend(parts, market, credential)
            credential.rules.check_model(model.id, model.serves)
            check_covered(project, model)
            check_market_open(market, project, self._now)
            check_provider_open(market, model)
            for _, price in parts.tariffs.of(market, model).prices:
                check_sellable(price, hold=UsdWad(0), now=self._now, limits=parts.freshness)
            standing = parts.standings.of(credential.account, parts.clock())
            parts.standings.offers.check_open(model, standing, project.kind)
        except MinteryError as reason:
            return reason
        return None

    def _out_of_funds(self, credential: Credential) -> MinteryError | None:
        """Where not even one nanocredit can be spent."""
        account, voucher = self._parts.ledger.account(credential.account), credential.admits.voucher
        if account is None:
            return InsufficientBalance(account=credential.account, required=1, available=0)
        if account.epoch != voucher.epoch:
            return WrongEpoch(voucher.epoch, account.epoch)
        if account.closing or account.available <= account.exiting:
            return InsufficientBalance(account=account.id, required=1, available=0)
        if voucher.max_nanocredits <= account.spent + account.held:
            return VoucherExhausted(account=account.id, required=1, available=0)
        return self._at_limit(credential)

    def _at_limit(self, credential: Credential) -> MinteryError | None:
        """Of those limits that bind whatever is asked."""
        parts = self._parts
        for limit in credential.limits:
            if limit.model is None and limit.way is None:
                span = parts.calendar.span_at(limit.period, credential.zone, parts.clock())
                counter = limit.counter(span)
                if parts.ledger.used(counter) >= limit.ceiling:
                    return LimitReached(account=credential.account, required=1, available=0, limit=counter)
        return None


def _told(reason: MinteryError | None) -> dict[str, Any]:
    if reason is None:
        return {"callable": True}
    return {"callable": False, "code": snake_case(type(reason).__name__), "why": str(reason)}
