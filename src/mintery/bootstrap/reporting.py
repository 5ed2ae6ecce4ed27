"""One price report by the reporters whose keys are here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mintery.bootstrap.declared import DeclaredModels
from mintery.bootstrap.opening import open_on_chain, report_sender_key, reporter_keys, utc_now
from mintery.bootstrap.price_sources import price_lists, with_local_prices
from mintery.chain.deployment import deployment_path
from mintery.domain.model import Model
from mintery.domain.observation import Observation, SourceAnswer, observe
from mintery.errors import SettingMissing
from mintery.settings import Settings, variable
from mintery.usecases.alarms import Alarms
from mintery.usecases.observe_prices import observe_prices
from mintery.usecases.report_prices import NothingToReport, Observe, PricesReported, Reporter, report_prices


def build_reporters(settings: Settings, models: Mapping[str, Model], *, local: bool) -> tuple[Reporter, ...]:
    """A gateway's own: those whose keys are here, each with the settings' sources as its own eyes; ``models`` are what it sells."""
    lists = price_lists(settings, models)
    return _reporters(settings, lambda skus, now: observe_prices(lists, skus, now), local=local)


def eyes_alone(settings: Settings) -> Observe:
    """Those of whoever reports beside no gateway: by what its own operator and the oracle declare.

    Raises:
        MalformedFile, SettingRefused
    """
    declared = DeclaredModels.of(settings)
    lists = price_lists(settings, declared)

    def observe_alone(skus: Iterable[str], now: datetime) -> tuple[Observation, ...]:
        wanted = tuple(skus)
        declared.look(wanted)
        return observe_prices(lists, wanted, now)

    return observe_alone


def report_once(settings: Settings, *, everything: bool) -> PricesReported | str:
    """What was reported, or why nothing was.

    Raises:
        SettingMissing: no reporter's key is here.
        QuorumMissing: fewer reporters than the oracle wants.
    """
    chain = open_on_chain(settings)
    local = chain.rpc.is_local
    if local:
        settings = with_local_prices(settings, deployment_path(settings.home, chain.rpc.genesis_hash).parent)
    sender = report_sender_key(settings, local=local)
    if sender is None:
        raise SettingMissing(variable("reporter_keys"), "somebody has to sign what the sources say")
    outcome = report_prices(
        chain,
        _reporters(settings, eyes_alone(settings), local=local),
        chain.sender(sender),
        Alarms(),
        now=utc_now(),
        heartbeat=settings.price_heartbeat,
        everything=everything,
    )
    return outcome.why if isinstance(outcome, NothingToReport) else outcome


def look_at_sources(settings: Settings, skus: Sequence[str]) -> list[tuple[Observation, tuple[SourceAnswer, ...]]]:
    """What follows for each SKU (every one of the oracle where none is named), and what each source says of it.

    Raises:
        MalformedFile, SettingRefused, RpcUnavailable, DeploymentMissing
    """
    chain = open_on_chain(settings)
    if chain.rpc.is_local:
        settings = with_local_prices(settings, deployment_path(settings.home, chain.rpc.genesis_hash).parent)
    declared, now = DeclaredModels.of(settings), utc_now()
    lists = price_lists(settings, declared)
    declared.look(chain.oracle.sku_names())
    answers = {sku: tuple(each.price_of(sku, now) for each in lists) for sku in skus or chain.oracle.sku_names()}
    return [(observe(sku, said), said) for sku, said in answers.items()]


def _reporters(settings: Settings, eyes: Observe, *, local: bool) -> tuple[Reporter, ...]:
    return tuple(Reporter(key, eyes) for key in reporter_keys(settings, local=local))
