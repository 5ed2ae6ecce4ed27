"""Signatures that were taken back."""

from collections.abc import Callable, Mapping
from typing import Any

from mintery.ledger.commands import Done
from mintery.ledger.commands_withdrawn import WithdrawSignature
from mintery.ledger.schema_withdrawn import withdrawn_signatures
from mintery.ledger.work import Statement, Work, insert_of, micros

_insert = Statement(insert_of(withdrawn_signatures).on_conflict_do_nothing())


def withdraw_signature(work: Work, command: WithdrawSignature) -> Done:
    signed = command.authority
    return Done(
        work.run(_insert, token=signed.token, authorizer=signed.authorizer, nonce=signed.nonce, at=micros(command.at))
    )


WITHDRAWN_WRITERS: Mapping[type, Callable[[Work, Any], Done]] = {WithdrawSignature: withdraw_signature}
