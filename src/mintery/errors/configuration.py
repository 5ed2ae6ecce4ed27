"""The machine, a file or a setting is not as it must be."""

import re
from collections.abc import Sequence

from mintery.errors.base import MinteryError

_SECRET = re.compile(r"(0x)?[0-9a-fA-F]{32,}|(\w+\s+){11,}\w+")


class ConfigurationError(MinteryError):
    """The machine, a file or a setting is not as it must be."""


class SettingMissing(ConfigurationError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} is not set: {why}")
        self.name = name


class SettingRefused(ConfigurationError):
    """A setting's value is of the wrong form. The value may be a secret and is not repeated."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class SettingTooLow(ConfigurationError):
    """A protocol time or size below what this chain allows."""

    def __init__(self, name: str, *, actual: int, limit: int) -> None:
        super().__init__(f"{name} is {actual}; at least {limit} is needed on this chain")
        self.name = name
        self.actual = actual
        self.limit = limit


class MalformedFile(ConfigurationError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class CompilerMissing(ConfigurationError):
    hint = "Set SOLC to a solc 0.8.30 or newer, or run `npm ci` in contracts/ for the packaged one."

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(f"no Solidity compiler found; tried {', '.join(tried)}")
        self.tried = tuple(tried)


class CompilationFailed(ConfigurationError):
    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("the contracts do not compile:\n" + "\n".join(messages))
        self.messages = tuple(messages)


class PortTaken(ConfigurationError):
    hint = "Is Mintery running already? Else choose another with --port (for the chain of `mintery up`: --rpc-port)."

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is taken by another program")
        self.host = host
        self.port = port


class SystemRefused(ConfigurationError):
    """The operating system did not let us: no right, no room, no such folder. ``path`` is None where no file is meant."""

    def __init__(self, path: str | None, why: str) -> None:
        super().__init__(f"{'the system refused' if path is None else path}: {why}")
        self.path = path
        self.why = why


class ChildFailed(ConfigurationError):
    """A process of several did not get ready. ``said`` is what it printed; ``code`` is how it ended."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"a gateway process ended with {code} before it was ready")
        self.code = code
        self.said = said


class NotForProcesses(ConfigurationError):
    """What was asked for does not work with several processes."""

    hint = "Name a PostgreSQL with --ledger postgresql://…, or take one process."

    def __init__(self, processes: int, why: str) -> None:
        super().__init__(f"{processes} processes: {why}")
        self.processes = processes
        self.why = why


class AnvilMissing(ConfigurationError):
    hint = "Install Foundry, or run `npm ci` in contracts/ for the packaged anvil."

    def __init__(self, tried: Sequence[str]) -> None:
        super().__init__(f"no anvil found; tried {', '.join(tried)}")
        self.tried = tuple(tried)


class AnvilFailed(ConfigurationError):
    """anvil did not start, or ended by itself. ``output`` is what it said last."""

    def __init__(self, executable: str, output: str) -> None:
        super().__init__(f"{executable} does not run: {output.strip() or 'it said nothing'}")
        self.executable = executable
        self.output = output


class DeploymentMissing(ConfigurationError):
    hint = "Run `mintery deploy` first. Deployed already? Name the file with --deployment, or its MINTERY_HOME."

    def __init__(self, path: str) -> None:
        super().__init__(f"no deployment at {path}")
        self.path = path


class SourcesDiffer(ConfigurationError):
    """Contracts on the chain were built from other sources than are at hand."""

    hint = "Check out the release that deployed them, and run `npm ci` in contracts/."

    def __init__(self, contract: str, path: str) -> None:
        super().__init__(f"{contract} on the chain was not built from the sources in {path}")
        self.contract = contract
        self.path = path


class AssetNotSignable(ConfigurationError):
    """The reserve asset's EIP-712 domain is none that its name, chain and address make."""

    hint = "Mint by approval instead: `mintery mint`, then `mintery deposit`."

    def __init__(self, name: str, asset: str) -> None:
        super().__init__(f"no authorization can be signed for {name} at {asset}: its EIP-712 domain is unknown")
        self.name = name
        self.asset = asset


class DeploymentOfAnotherChain(ConfigurationError):
    """A named deployment file was written for another chain. Nothing was overwritten."""

    hint = "Without --deployment the chain's own file is taken; --rpc names another chain."

    def __init__(self, path: str, *, deployed: str, connected: str) -> None:
        super().__init__(
            f"{path} belongs to chain {deployed}, but the rpc serves chain {connected}; nothing was changed"
        )
        self.path = path
        self.deployed = deployed
        self.connected = connected


class LedgerOfAnotherChain(ConfigurationError):
    """A named ledger was opened for another chain or deployment. Nothing was overwritten."""

    hint = "Without --ledger the chain's own file is taken; --rpc names another chain."

    def __init__(self, path: str, *, recorded: str, expected: str) -> None:
        super().__init__(f"the ledger {path} belongs to {recorded}, not to {expected}; nothing was changed")
        self.path = path
        self.recorded = recorded
        self.expected = expected


class UnknownAccountKey(ConfigurationError):
    """A name or number that stands for no private key here. What looks like a key or seed words is not repeated."""

    hint = "Name a dev account like dev:issuer, a keystore file, or an environment variable that holds the key."

    def __init__(self, name: str) -> None:
        secret = _SECRET.fullmatch(name.strip()) is not None
        self.name = "(not repeated)" if secret else name
        super().__init__("--key takes the name of a key, not the key" if secret else f"no key is known as {name!r}")


class DevKeyOnRealChain(ConfigurationError):
    hint = "Name a keystore file or an environment variable with --key."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a key that everyone knows; it signs on local chains only")
        self.name = name
