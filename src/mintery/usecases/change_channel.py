"""What an operator may set of channels. Each change is one row of the audit ledger, and acts here at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from mintery.domain.channel import ChannelChange, Scope, Setting, Subject, shared_name, value_text
from mintery.domain.model import Model
from mintery.domain.voucher import Kind
from mintery.errors import (
    ChannelChangedMeanwhile,
    ChannelSettingRefused,
    LedgerInconsistent,
    MalformedFile,
    MultiplierAboveMarkup,
    UnknownChannel,
)
from mintery.ledger.commands import ChangeChannel, Done, NotWritten
from mintery.providers.config import check_names, parse_model
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts

MOST_REASON = 500
MOST_LOOKED_AT = 100
"""Changes of one thing, newest first, among which the one just made stands."""


_DEFAULTS = {Setting.ENABLED: "true", Setting.RESALE: "true"}
"""What holds where nothing was ever set, and is not the providers file's to say."""


class Said(NamedTuple):
    """Who changes something, and why; ``at`` is aware UTC."""

    by: str
    reason: str
    at: datetime


def add_channel(parts: GatewayParts, channel: str, terms: Mapping[str, Any] | None, said: Said) -> ChannelChange | None:
    """Sell a model of a provider that the providers file names. ``terms`` declare it as that file would; None puts one back
    that the file declares itself. None is returned where nothing changed, as by everything here.

    Raises:
        ChannelSettingRefused, UnknownChannel, ChannelChangedMeanwhile
    """
    board = parts.channels
    if channel in board.listed:
        raise ChannelSettingRefused(channel, "it is there already")
    if terms is None:
        if channel not in board.declared:
            raise UnknownChannel(channel)
        return _set(parts, Subject(Scope.CHANNEL, channel, Setting.TERMS), None, said)
    seller = board.sellers.get(channel.partition("/")[0])
    if seller is None:
        raise ChannelSettingRefused(channel, "the providers file names no such provider")
    try:
        model = parse_model({**terms, "id": channel}, seller, where=channel)
        check_names([*board.sellers], [*board.listed.values(), model], channel)
    except MalformedFile as error:
        raise ChannelSettingRefused(channel, error.why) from None
    if model.needs and model.needs not in parts.standings.offers.offers:
        raise ChannelSettingRefused(channel, f"it needs {model.needs}, which is no membership here")
    return _set(parts, Subject(Scope.CHANNEL, channel, Setting.TERMS), {**terms, "id": channel}, said)


def remove_channel(parts: GatewayParts, channel: str, said: Said) -> ChannelChange | None:
    """It is sold and listed no more; its settings and its history stay. Raises UnknownChannel."""
    _listed(parts, channel)
    return _set(parts, Subject(Scope.CHANNEL, channel, Setting.TERMS), False, said)


def enable_channel(parts: GatewayParts, channel: str, said: Said, *, enabled: bool) -> ChannelChange | None:
    """Raises UnknownChannel."""
    _listed(parts, channel)
    return _set(parts, Subject(Scope.CHANNEL, channel, Setting.ENABLED), enabled, said)


def allow_own_key(parts: GatewayParts, channel: str, said: Said, *, allowed: bool) -> ChannelChange | None:
    """Whether callers may bring their own key of its provider. Raises UnknownChannel."""
    _listed(parts, channel)
    return _set(parts, Subject(Scope.CHANNEL, channel, Setting.OWN_KEY), allowed, said)


def set_multiplier(parts: GatewayParts, channel: str, basis_points: int | None, said: Said) -> ChannelChange | None:
    """Over the provider's prices; None is each project's own markup. A project with a lower markup asks no more than that.

    Raises:
        UnknownChannel, ChannelSettingRefused
        MultiplierAboveMarkup: no project that pays for the channel has so high a markup.
    """
    model = _listed(parts, channel)
    if basis_points is not None:
        if model.kind is Kind.OFFICIAL:
            raise ChannelSettingRefused(channel, "official channels pass their provider's prices through")
        if basis_points < 0:
            raise ChannelSettingRefused(channel, "a multiplier is not below zero")
        if basis_points > (limit := _highest_markup(parts, model)):
            raise MultiplierAboveMarkup(channel, basis_points, limit)
    return _set(parts, Subject(Scope.CHANNEL, channel, Setting.MULTIPLIER), basis_points, said)


def make_primary(
    parts: GatewayParts, channel: str, said: Said, *, backups: Sequence[str] | None = None
) -> ChannelChange | None:
    """Of the channels that share its name it is asked first; the others stand in, ``backups`` first of them, in their order.

    Raises:
        UnknownChannel, ChannelSettingRefused
    """
    model = _listed(parts, channel)
    listed = parts.channels.listed.values()
    sharing = [each for each in listed if each.serves and shared_name(each) == shared_name(model)]
    if len(sharing) < 2:
        raise ChannelSettingRefused(channel, f"no other {model.kind} channel shares its name; `serves` declares one")
    named = (channel, *(backups or ()))
    ids = {each.id for each in sharing}
    for each in named:
        if each not in ids:
            raise ChannelSettingRefused(
                each, f"it is no {model.kind} channel that goes by {model.serves}, as {channel} is"
            )
    if len(set(named)) < len(named):
        raise ChannelSettingRefused(channel, "a channel stands in the order once")
    rest = sorted(
        (each for each in sharing if each.id not in named), key=lambda each: (each.backup, -each.quality, each.id)
    )
    return _set(
        parts, Subject(Scope.NAME, shared_name(model), Setting.ORDER), [*named, *(each.id for each in rest)], said
    )


def allow_resale(parts: GatewayParts, provider: str, said: Said, *, allowed: bool) -> ChannelChange | None:
    """Where it is not allowed, no route of the provider takes new holds; callers may still bring their own keys.

    Raises:
        UnknownChannel, ChannelSettingRefused
    """
    if (seller := parts.channels.sellers.get(provider)) is None:
        raise UnknownChannel(provider)
    if seller.kind is Kind.OFFICIAL:
        raise ChannelSettingRefused(provider, "an official provider sells its own models; disable its channels instead")
    if allowed and not seller.resale:
        raise ChannelSettingRefused(provider, "the providers file forbids it, which nothing here overrides")
    return _set(parts, Subject(Scope.PROVIDER, provider, Setting.RESALE), allowed, said)


def _listed(parts: GatewayParts, channel: str) -> Model:
    if (model := parts.channels.listed.get(channel)) is None:
        raise UnknownChannel(channel)
    return model


def _highest_markup(parts: GatewayParts, model: Model) -> int:
    market, _ = parts.reading()
    paying = [
        project.markup
        for project in market.projects.values()
        if project.kind is model.kind and model.provider_id in project.providers
    ]
    return max(paying, default=0)


def _set(parts: GatewayParts, subject: Subject, value: Any, said: Said) -> ChannelChange | None:
    """Raises ChannelChangedMeanwhile, ChannelSettingRefused."""
    scope, name, setting = subject
    if not said.reason.strip() or not said.by.strip():
        raise ChannelSettingRefused(name, "say who changes it and why, for whoever reads this later")
    text = value_text(value)
    last = next((each for each in parts.ledger.channel_settings() if each.subject == subject), None)
    if text == (_DEFAULTS.get(setting) if last is None else last.value):
        return None
    revision = 1 if last is None else last.revision + 1
    by, reason = said.by.strip()[:MOST_REASON], said.reason.strip()[:MOST_REASON]
    [result] = parts.ledger.commit([ChangeChannel(subject, revision, text, by, reason, said.at)])
    if isinstance(result, NotWritten):
        raise ChannelChangedMeanwhile(name, setting)
    if not isinstance(result, Done):
        raise LedgerInconsistent(f"a channel's change was answered with {type(result).__name__}")
    parts.channels.refresh()
    log_transition("channel_changed", scope=scope.value, of=name, setting=setting.value, value=text, by=by)
    written = parts.ledger.channel_changes(name=name, limit=MOST_LOOKED_AT)
    return next(each for each in written if each.subject == subject and each.revision == revision)
