"""One gateway process: built by the product's own bootstrap in a fresh fork, with its clock, its dice and its seams ours.

Its jobs run when the world says so, over a control connection that also tells the world when it dies.
"""

import hashlib
import json
import os
import random
import resource
import secrets
import signal
import socket
import sys
import threading
import traceback
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from tests.faults.base import Base
from tests.faults.breakages import break_as_chosen
from tests.faults.dying import die_with_parent
from tests.faults.page import Page
from tests.faults.scenario import FIRST_ROUTE, SECOND_ROUTE
from tests.faults.seams import Reaper, watch, watched_app
from tests.faults.wire import use_light_transport

from mintery.bootstrap import gateway as bootstrap_gateway
from mintery.crypto.keys import PrivateKey
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import Kind
from mintery.errors import MinteryError
from mintery.ledger import engines
from mintery.providers.config import ProviderConfig
from mintery.settings import Settings

REFUSED = 3
"""How a process ends that says why it does not start."""
PROVIDER = "acme"
PROVIDER_ID = 1
CHAT, LARGE, EMBED = f"{PROVIDER}/{FIRST_ROUTE}", f"{PROVIDER}/{SECOND_ROUTE}", f"{PROVIDER}/tiny"
_OUTPUT_CAP = 64
_TELLING = frozenset({"reconcile", "settle"})
"""Jobs after which the world asks what alarms stand."""
_PRAGMAS = engines._PRAGMAS


@dataclass(frozen=True, slots=True)
class Launch:
    """What a gateway is started with. ``death`` is the number of a point and how often it is reached until then.

    ``ledger`` is a path, or a URL. Times are seconds.
    """

    slot: int
    life: int
    seed: int
    directory: str
    ledger: str
    rpc_url: str
    provider_url: str
    control: int
    confirmations: int
    finality: int
    batch_lines: int
    death: tuple[int, int] | None = None
    rpc_timeout: float = 10
    provider_timeout: float = 5

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Launch":
        fields = json.loads(line)
        if fields["death"] is not None:
            fields["death"] = tuple(fields["death"])
        return cls(**fields)


def run_gateway(launch: Launch, base: Base, page: Page) -> None:
    """Never returns to the caller's stack: the fork ends here."""
    status = 1
    try:
        _prepare(launch)
        control = socket.create_connection(("127.0.0.1", launch.control))
        try:
            _serve(launch, base, page, control)
            status = 0
        except MinteryError as error:
            status = REFUSED
            _tell(control, {"life": launch.life, "failed": f"{type(error).__name__}: {error}"})
    except BaseException:  # noqa: BLE001 -- the process's edge: the log is all that it leaves
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _prepare(launch: Launch) -> None:
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(Path(launch.directory) / f"gateway-{launch.life}.log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    dice = random.Random(f"{launch.seed}/{launch.life}")
    secrets.token_hex = lambda size=32: dice.randbytes(size).hex()
    secrets.randbelow = dice.randrange


def build(launch: Launch, base: Base, page: Page) -> bootstrap_gateway.Gateway:
    """By the product's own bootstrap. The clock is the page's, and an endpoint or a lock is not waited for so long."""
    bootstrap_gateway.utc_now = lambda: page.now(launch.slot)
    engines._PRAGMAS = (*_PRAGMAS, "busy_timeout=150")
    return bootstrap_gateway.build_gateway(_settings(launch, base), providers=(_provider(launch),))


def _serve(launch: Launch, base: Base, page: Page, control: socket.socket) -> None:
    reaper = Reaper(page, launch.life, launch.death)
    watch(reaper)
    break_as_chosen()
    if launch.seed % 32:
        use_light_transport()
    gateway = build(launch, base, page)
    gateway.app = watched_app(gateway.app, reaper)
    url = gateway.serve("127.0.0.1", 0)
    _tell(control, {"slot": launch.slot, "life": launch.life, "pid": os.getpid(), "url": url})
    _obey(gateway, control, Path(launch.directory))
    gateway.close()
    _tell(control, {"closed": True})


def _obey(gateway: bootstrap_gateway.Gateway, control: socket.socket, directory: Path) -> None:
    """Run jobs, each in a thread, until told to close."""
    lock = threading.Lock()

    def run(number: int, job: str) -> None:
        done = gateway.jobs.run_once(job).value
        standing: list[str] = []
        if done == "failed" or job in _TELLING:
            standing = [f"{alarm.alarm}({alarm.subject}): {alarm.why}" for alarm in gateway.alarms.standing()]
        with lock:
            _tell(control, {"did": number, "done": done, "alarms": standing})

    for line in control.makefile("r"):
        order = json.loads(line)
        match order["do"]:
            case "close":
                return
            case "fill disk":
                largest = max(file.stat().st_size for file in directory.glob("ledger*"))
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest + order["room"], resource.RLIM_INFINITY))
            case "free disk":
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            case job:
                threading.Thread(target=run, args=(order["number"], job), daemon=True).start()


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    control.sendall(json.dumps(message).encode() + b"\n")


def _settings(launch: Launch, base: Base) -> Settings:
    """Read once, in the rehearsal: what differs in each launch differs in it alone."""
    return _common_settings(base.directory, base.identity, base.settler).model_copy(
        update={
            "ledger": launch.ledger,
            "rpc_url": launch.rpc_url,
            "rpc_timeout": launch.rpc_timeout,
            "confirmations": launch.confirmations,
            "finality": launch.finality,
            "max_batch_lines": launch.batch_lines,
        }
    )


@cache
def _common_settings(directory: Path, identity: PrivateKey, settler: PrivateKey) -> Settings:
    reporter = SecretStr("0x" + hashlib.sha256(b"reporter").hexdigest())
    return Settings(
        home=directory,
        deployment=directory / "deployment.json",
        ledger="in a launch",
        gateway_address=identity.address,
        settler_key=SecretStr(settler.secret_bytes().hex()),
        reporter_keys=(reporter,),
        genai_prices=False,
    )


def _provider(launch: Launch) -> ProviderConfig:
    def model(name: str, endpoint: Endpoint, *units: Unit) -> Model:
        return Model(
            id=name,
            upstream=name.partition("/")[2],
            provider=PROVIDER,
            provider_id=PROVIDER_ID,
            kind=Kind.ROUTED,
            endpoint=endpoint,
            units=frozenset(units),
            max_output_tokens=_OUTPUT_CAP if endpoint is Endpoint.CHAT else 0,
            context_tokens=8_192,
            test=True,
        )

    return ProviderConfig(
        name=PROVIDER,
        registry_id=PROVIDER_ID,
        kind=Kind.ROUTED,
        base_url=launch.provider_url,
        models=(
            model(CHAT, Endpoint.CHAT, Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN),
            model(LARGE, Endpoint.CHAT, Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN),
            model(EMBED, Endpoint.EMBEDDINGS, Unit.INPUT_TOKEN),
        ),
        connect_seconds=launch.provider_timeout,
        first_byte_seconds=launch.provider_timeout,
        idle_seconds=launch.provider_timeout,
        total_seconds=60,
    )
