"""One price report by the reporters whose keys are here."""

from mintery.bootstrap.gateway import build_reporters, utc_now
from mintery.bootstrap.local import with_local_prices
from mintery.bootstrap.opening import open_on_chain, report_sender_key
from mintery.chain.deployment import deployment_path
from mintery.errors import SettingMissing
from mintery.settings import Settings, variable
from mintery.usecases.alarms import Alarms
from mintery.usecases.report_prices import NothingToReport, PricesReported, report_prices


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
        build_reporters(settings, local=local),
        chain.sender(sender),
        Alarms(),
        now=utc_now(),
        heartbeat=settings.price_heartbeat,
        everything=everything,
    )
    return outcome.why if isinstance(outcome, NothingToReport) else outcome
