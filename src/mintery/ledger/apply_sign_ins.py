"""Who is signed in: nonces that count once, and the sign-ins that they begin."""

from sqlalchemy import bindparam, delete, select, update

from mintery.domain.sign_in import NONCE_LIFE
from mintery.ledger.commands import Done, NotWritten
from mintery.ledger.commands_wallet import BeginSignIn, EndSignIn
from mintery.ledger.schema_wallet import sign_in_nonces, sign_ins
from mintery.ledger.work import Statement, Work, insert_of, micros

_use = Statement(insert_of(sign_in_nonces).on_conflict_do_nothing())
_drop_nonces = Statement(delete(sign_in_nonces).where(sign_in_nonces.c.expires_at <= bindparam("now")))
_begin = Statement(insert_of(sign_ins).on_conflict_do_nothing())
_begun = Statement(select(sign_ins.c.token_hash).where(sign_ins.c.id == bindparam("its_id")))
_drop_sign_ins = Statement(delete(sign_ins).where(sign_ins.c.expires_at <= bindparam("now")))
_end = Statement(
    update(sign_ins)
    .where(sign_ins.c.id == bindparam("its_id"), sign_ins.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)


def begin_sign_in(work: Work, command: BeginSignIn) -> Done | NotWritten:
    """A nonce is written by whoever uses it: of two at once, one writes it. It stays for longer than it is good, for a process
    whose clock is behind would take it once more.
    """
    began = command.sign_in
    known = work.row(_begun, its_id=began.id)
    if known is not None:
        return Done(0) if bytes(known[0]) == command.token_hash else NotWritten(f"sign-in {began.id} is another's")
    at = micros(began.began_at)
    if (nonce := command.nonce) is not None:
        if nonce.expires_at <= began.began_at:
            return NotWritten("the nonce has expired")
        if not work.run(_use, nonce=nonce.text, expires_at=micros(nonce.expires_at)):
            return NotWritten("the nonce was used")
    work.run(_drop_nonces, now=micros(began.began_at - NONCE_LIFE))
    work.run(_drop_sign_ins, now=at)
    return Done(
        work.run(
            _begin,
            id=began.id,
            token_hash=command.token_hash,
            holder=began.holder,
            began_at=at,
            expires_at=micros(began.expires_at),
            ended_at=None,
        )
    )


def end_sign_in(work: Work, command: EndSignIn) -> Done:
    return Done(work.run(_end, its_id=command.id, at=micros(command.at)))
