"""Channels: what an operator says of each way to a provider's model, beside what the providers file declares.

A channel is a model of a provider; its id is the model's. Every setting is a fact with a revision of its own: the newest
one holds, and where there is none, the providers file does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from mintery.domain.model import Model
from mintery.domain.project import Project
from mintery.domain.voucher import Kind
from mintery.units import BasisPoints

PASS_THROUGH = BasisPoints(0)


class Scope(StrEnum):
    """What a setting is of."""

    CHANNEL = "channel"
    PROVIDER = "provider"
    NAME = "name"
    """One that several channels of a kind share: see ``shared_name``."""


class Setting(StrEnum):
    """Values are JSON; null is as the providers file has it."""

    TERMS = "terms"
    """Of a channel: a model as the providers file declares one, or false where it was removed."""
    ENABLED = "enabled"
    """Of a channel: false takes it from sale."""
    MULTIPLIER = "multiplier"
    """Of a channel: basis points over its provider's prices."""
    OWN_KEY = "own_key"
    """Of a channel: whether callers may bring their own key of its provider."""
    RESALE = "resale"
    """Of a provider: false where it does not let its models be sold on."""
    ORDER = "order"
    """Of a shared name: the ids of its channels, the primary one first."""


class Subject(NamedTuple):
    """One setting of one thing."""

    scope: Scope
    name: str
    setting: Setting


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """One row of the audit ledger.

    Attributes:
        seq: its place among all changes.
        revision: counts from 1 for each subject.
        earlier, value: JSON texts, before and after; None is null.
        changed_by: who says that he changed it, as the gateway knew him.
    """

    seq: int
    subject: Subject
    revision: int
    earlier: str | None
    value: str | None
    changed_by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What holds now.

    Attributes:
        terms: by channel: what it was added with, None where it was removed.
        enabled, own_keys, multipliers: by channel.
        resale: by provider.
        orders: by ``shared_name``.
    """

    terms: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    enabled: Mapping[str, bool] = field(default_factory=dict)
    own_keys: Mapping[str, bool] = field(default_factory=dict)
    multipliers: Mapping[str, BasisPoints] = field(default_factory=dict)
    resale: Mapping[str, bool] = field(default_factory=dict)
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Channels(NamedTuple):
    """Attributes:
    listed: every channel that is not removed, by id, as its settings make it.
    for_sale: those of them that are enabled.
    """

    listed: Mapping[str, Model]
    for_sale: Mapping[str, Model]


def settings_of(newest: Iterable[tuple[Subject, str | None]]) -> ChannelSettings:
    """From the newest value of each subject."""
    found: dict[Setting, dict[str, Any]] = {setting: {} for setting in Setting}
    for (_, name, setting), text in newest:
        value = None if text is None else orjson.loads(text)
        if value is not None:
            found[setting][name] = value
    return ChannelSettings(
        terms={name: terms or None for name, terms in found[Setting.TERMS].items()},
        enabled=found[Setting.ENABLED],
        own_keys=found[Setting.OWN_KEY],
        multipliers={name: BasisPoints(each) for name, each in found[Setting.MULTIPLIER].items()},
        resale=found[Setting.RESALE],
        orders=found[Setting.ORDER],
    )


def channels_of(declared: Mapping[str, Model], added: Mapping[str, Model], settings: ChannelSettings) -> Channels:
    """``declared`` by the providers file, ``added`` as ``settings.terms`` say. What the file forbids stays forbidden."""
    known = {**declared, **added}
    listed = {
        name: _as_set(model, settings) for name, model in known.items() if settings.terms.get(name, True) is not None
    }
    for_sale = {name: model for name, model in listed.items() if settings.enabled.get(name, True)}
    return Channels(listed, for_sale)


def _as_set(model: Model, settings: ChannelSettings) -> Model:
    set_to = replace(
        model,
        resale=model.resale and settings.resale.get(model.provider, True),
        multiplier=settings.multipliers.get(model.id, model.multiplier),
        own_key=settings.own_keys.get(model.id, model.own_key),
        backup=_backup(model, settings.orders),
    )
    return model if set_to == model else set_to


def _backup(model: Model, orders: Mapping[str, Sequence[str]]) -> int:
    """0 for a primary one; what the order does not name comes after it."""
    order = orders.get(shared_name(model)) if model.serves else None
    if order is None:
        return 0
    return order.index(model.id) if model.id in order else len(order)


def shared_name(model: Model) -> str:
    """``routed:small``: what it goes by beside others of its kind. Official channels and routes never stand in for each other."""
    return f"{model.kind.value}:{model.serves}"


def markup_of(project: Project, model: Model) -> BasisPoints:
    """What the holder pays over the provider's price: the project's markup, or the channel's own multiplier where that is
    lower. The vault burns at most the project's (S5) and takes less; an official project passes prices through.
    """
    if model.kind is Kind.OFFICIAL:
        return PASS_THROUGH
    multiplier = model.multiplier
    return project.markup if multiplier is None or multiplier > project.markup else multiplier


def value_text(value: Any) -> str | None:
    """As the audit ledger keeps it: JSON with sorted keys, so that the same value is the same text."""
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
