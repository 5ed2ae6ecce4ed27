"""The chain could not be read or written, or says what may not be."""

from collections.abc import Mapping, Sequence

from mintery.errors.base import MinteryError


class ChainError(MinteryError):
    """The chain or its rpc."""


class RpcUnavailable(ChainError):
    hint = "Is it running? `mintery devchain` starts one; --rpc names another."

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"the rpc at {url} does not answer: {why}")
        self.url = url
        self.why = why


class RpcRefused(ChainError):
    """The rpc answered with an error. ``payload`` is the JSON-RPC error's own ``data``."""

    def __init__(self, method: str, code: int, message: str, payload: object = None) -> None:
        super().__init__(f"the rpc refused {method}: {message}")
        self.method = method
        self.code = code
        self.message = message
        self.payload = payload


class RpcsDisagree(ChainError):
    """Endpoints of one chain answer the same read differently, and no quorum is on one side: none is believed."""

    hint = "Ask each by itself with --rpc; a node that is still syncing, or of another chain, must leave the list."

    def __init__(self, read: str, urls: Sequence[str], quorum: int) -> None:
        super().__init__(f"{' and '.join(urls)} disagree about {read}; {quorum} must agree, and no other may object")
        self.read = read
        self.urls = tuple(urls)
        self.quorum = quorum


class TransactionReverted(ChainError):
    """``error`` is the contract's error name, ``arguments`` its named values; bytes as 0x and hex digits. ``paid``: wei that it
    cost in its block; None where it was in none.
    """

    def __init__(self, action: str, error: str, arguments: Mapping[str, object], *, paid: int | None = None) -> None:
        arguments = {
            name: f"0x{value.hex()}" if isinstance(value, bytes) else value for name, value in arguments.items()
        }
        listed = ", ".join(f"{name}={value}" for name, value in arguments.items())
        super().__init__(f"{action} was refused by the contract: {error}({listed})")
        self.action = action
        self.error = error
        self.arguments = arguments
        self.paid = paid


class TransactionMissing(ChainError):
    def __init__(self, tx_hash: str, seconds: int) -> None:
        super().__init__(f"transaction {tx_hash} is not in a block after {seconds} s")
        self.tx_hash = tx_hash


class TransactionReplaced(ChainError):
    """Its nonce went to another transaction of the same key, so it never happens."""

    def __init__(self, tx_hash: str, nonce: int) -> None:
        super().__init__(f"transaction {tx_hash} never happens: nonce {nonce} went to another one")
        self.tx_hash = tx_hash
        self.nonce = nonce


class BlockReplaced(ChainError):
    """The chain no longer has a block that was read before."""

    def __init__(self, number: int, *, recorded: str, connected: str) -> None:
        super().__init__(f"block {number} was {recorded} when it was recorded; the rpc now says {connected}")
        self.number = number
        self.recorded = recorded
        self.connected = connected


class FinalBlockReplaced(BlockReplaced):
    """It was recorded as final. Nothing is undone, nothing more is read, and nothing pays until a person has looked."""

    hint = (
        "Look at the block with another endpoint first: if this one is on a wrong fork, name another (--rpc) and all goes "
        "on. If the chain did drop a final block, stop the gateway, restore the ledger from before that block, and start "
        "again: what was charged since is lost, and `mintery reconcile` must agree before anything is settled."
    )


class SettlementHalted(ChainError):
    """An alarm stands that no settlement may pass. ``halt`` is its number in the ledger, where it stands for all."""

    def __init__(self, alarm: str, why: str, *, halt: int | None = None) -> None:
        super().__init__(f"settlement is halted by the alarm {alarm}: {why}")
        self.alarm = alarm
        self.why = why
        self.halt = halt
        if halt is not None:
            self.hint = f"Find out why. `mintery reconcile` compares again; `mintery ledger clear-halt {halt}` ends it."


class QuorumMissing(ChainError):
    hint = "A reporter that runs by itself exchanges reports with the others: `mintery reporter`."

    def __init__(self, reporters: int, quorum: int) -> None:
        super().__init__(f"{reporters} reporters saw a price; the oracle needs {quorum}")
        self.reporters = reporters
        self.quorum = quorum


class NotReporter(ChainError):
    """The oracle does not count this key's reports."""

    hint = "Its admin names reporters; `mintery roles show` lists them."

    def __init__(self, reporter: str) -> None:
        super().__init__(f"{reporter} is no reporter of this oracle")
        self.reporter = reporter


class OutcomeMismatch(ChainError):
    """The chain says another thing of a batch than this ledger."""

    def __init__(self, batch_id: int, why: str) -> None:
        super().__init__(f"batch {batch_id} on chain is not the one recorded here: {why}")
        self.batch_id = batch_id
