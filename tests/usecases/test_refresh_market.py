"""A reading of the chain is good for a while, and the ledger never runs ahead of it."""

from datetime import timedelta

import pytest
from tests.usecases.town import Till, Town, now

from mintery.crypto.keys import dev_key
from mintery.errors import Draining, LedgerBehind, MarketUnread
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.sync_chain import sync_chain


def test_nothing_is_sold_before_the_first_reading(town: Town):
    with pytest.raises(Draining):
        MarketBoard(town.chain, dev_key(1).address, clock=now, longest_age=60).newest()


def test_nothing_is_sold_by_an_old_reading_and_another_look_at_the_same_block_makes_it_new(town: Town):
    clock = [now()]
    board = MarketBoard(town.chain, dev_key(1).address, clock=lambda: clock[0], longest_age=60)
    read = board.refresh()

    clock[0] += timedelta(seconds=60)
    assert board.newest() is read
    clock[0] += timedelta(seconds=1)
    with pytest.raises(MarketUnread) as refused:
        board.newest()
    assert (refused.value.age, refused.value.limit) == (61, 60)

    assert board.refresh() is read
    assert board.newest() is read


def test_nothing_is_sold_by_a_ledger_that_does_not_follow(town: Town):
    clock = [now()]
    board = MarketBoard(town.chain, dev_key(1).address, clock=lambda: clock[0], longest_age=60, longest_behind=1_800)
    missed = board.refresh().block_number
    clock[0] += timedelta(seconds=1_790)
    town.advance(1)
    newer = board.refresh()
    assert board.newest() is newer

    clock[0] += timedelta(seconds=11)
    with pytest.raises(LedgerBehind) as refused:
        board.newest()
    assert (refused.value.age, refused.value.limit) == (1_801, 1_800)

    board.followed(missed)
    assert board.newest() is newer
    board.followed(newer.block_number)
    clock[0] += timedelta(seconds=3_600)
    assert board.refresh() is newer
    assert board.newest() is newer


def test_the_ledger_stops_at_the_block_it_is_told(till: Till):
    through = till.town.rpc.block().number
    till.town.advance(1)

    synced = sync_chain(till.town.chain, till.ledger, till.gateway, till.alarms, now(), through=through)

    assert synced.last is not None
    assert synced.last.number == through < till.town.rpc.block().number
