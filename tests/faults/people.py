"""Holders and the settler's own hand on the chain: deposits, exits, releases."""

from tests.faults.base import Base
from tests.faults.scenario import Deposit, Exit

from mintery.chain.sender import Sender
from mintery.errors import MinteryError
from mintery.units import CreditUnits
from mintery.usecases import exit_credits
from mintery.usecases.deposit_credits import deposit_credits


def act(base: Base, happening: Deposit | Exit) -> str:
    """Past the mempool; what the chain refuses does not happen. What became of it."""
    chain, member = base.town.chain, base.members[happening.member]
    holder, settler = base.town.issuer, Sender(chain.rpc, base.settler)
    amount = CreditUnits(happening.millicredits * 10**15)
    try:
        match happening:
            case Deposit():
                deposit_credits(chain, holder, member.key, amount)
            case Exit(what="start"):
                exit_credits.start_exit(chain, holder, member.key, amount)
            case Exit(what="close"):
                exit_credits.start_close(chain, holder, member.key)
            case Exit(what="cancel"):
                exit_credits.cancel_exit(chain, holder, member.key)
            case Exit(what="execute"):
                exit_credits.execute_exit(chain, holder, member.key)
            case Exit():
                exit_credits.release_credits(chain, settler, member.key, amount)
    except MinteryError as error:
        return f"the chain refuses: {error}"
    return f"it is in block {base.node.engine.head.number}"
