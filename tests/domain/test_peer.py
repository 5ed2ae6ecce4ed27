"""Nobody chooses what their tries are counted by."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.peer import MOST_HOPS, ForwardedHeader, Peer, TrustedProxies

OURS = TrustedProxies(tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:aa::/48"))))
BY_RFC = TrustedProxies(OURS.networks, ForwardedHeader.FORWARDED)
CALLER = Peer("203.0.113.9")


def test_without_a_proxy_the_connection_speaks_for_itself():
    assert TrustedProxies().peer("203.0.113.9", ["198.51.100.1"]) == CALLER


def test_a_stranger_who_sends_the_header_is_counted_as_itself():
    assert OURS.peer("203.0.113.9", ["198.51.100.1"]) == CALLER


@pytest.mark.parametrize(
    "lines",
    [
        ["203.0.113.9"],
        ["203.0.113.9:5123"],
        ["::ffff:203.0.113.9"],
        ["198.51.100.1, 203.0.113.9"],
        ["198.51.100.1", "203.0.113.9"],
        ["198.51.100.1, 203.0.113.9, 10.1.2.3"],
        ["10.9.9.9, 203.0.113.9", "10.1.2.3,::ffff:10.1.2.4"],
        ['"x, 203.0.113.9'],
    ],
)
def test_a_trusted_proxy_is_believed_and_who_wrote_further_left_is_not(lines: list[str]):
    assert OURS.peer("10.0.0.1", lines) == CALLER


@pytest.mark.parametrize("said", ["", "unknown", "_hidden", "1.2.3", "203.0.113.009", "a" * 70_000, "for=203.0.113.9"])
def test_what_names_no_address_is_counted_as_the_proxy_that_passed_it_on(said: str):
    assert OURS.peer("10.0.0.1", [f"203.0.113.9, {said}"]) == Peer("10.0.0.1")


def test_callers_inside_the_trusted_networks_are_counted_too():
    assert OURS.peer("10.0.0.1", ["10.7.7.7"]) == Peer("10.7.7.7")


def test_a_chain_of_trusted_names_ends():
    lines = ["203.0.113.9, " + ", ".join(f"10.0.0.{each}" for each in range(200, 100, -1))]

    assert OURS.peer("10.0.0.1", lines) == Peer(f"10.0.0.{100 + MOST_HOPS}")


@pytest.mark.parametrize(
    "lines",
    [
        ["for=203.0.113.9"],
        ['For="203.0.113.9:47011";proto=https;by=10.0.0.2'],
        ['for="[2001:db8:bb::1]";host=x, for=203.0.113.9;by=_ours'],
        ['for="198.51.100.1, for=203.0.113.9'],
        ["for=198.51.100.1", "for=203.0.113.9,for=10.3.3.3"],
    ],
)
def test_the_standard_header_is_read_where_the_proxies_write_it(lines: list[str]):
    assert BY_RFC.peer("10.0.0.1", lines) == CALLER


@pytest.mark.parametrize(
    "said",
    [
        'for=203.0.113.9;host="a, for=198.51.100.1"',
        'for=203.0.113.9;host="a, for=198.51.100.1;x="',
        'for=203.0.113.9;host="a, for=198.51.100.1;x=\\""',
        "for=203.0.113.9;for=198.51.100.1",
        'host="a;for=198.51.100.1";proto=https',
        "proto=https",
        "for=unknown",
        "203.0.113.9",
    ],
)
def test_what_a_caller_had_written_into_the_standard_header_moves_nothing(said: str):
    assert BY_RFC.peer("10.0.0.1", [said]) == Peer("10.0.0.1")


def test_of_ipv6_a_subscriber_and_its_site_are_counted():
    one, other = (OURS.peer(ip, []) for ip in ("2001:db8:bb:1::1", "2001:db8:bb:1:ffff::2"))

    assert one == other == Peer("2001:db8:bb:1::/64", "2001:db8:bb::/48")
    assert OURS.peer("2001:db8:aa::7", ["[2001:db8:bb:1::9]:443"]) == one
    assert OURS.peer("fe80::1%eth0", []) == Peer("fe80::/64", "fe80::/48")


def test_ipv4_in_the_writing_of_ipv6_is_one_peer():
    assert OURS.peer("::ffff:203.0.113.9", []) == OURS.peer("::ffff:cb00:7109", []) == CALLER


@given(st.lists(st.text('0123456789.,:;"[]= forabc\\', max_size=60), max_size=3))
def test_whatever_a_caller_sends_its_own_proxys_word_stands(sent: list[str]):
    """The proxy adds whom it had the call from to the line that came, or on a line of its own."""
    added = [*sent[:-1], f"{sent[-1]}, 203.0.113.9"] if sent else ["203.0.113.9"]

    assert OURS.peer("10.0.0.1", added) == OURS.peer("10.0.0.1", [*sent, "203.0.113.9"]) == CALLER
    assert BY_RFC.peer("10.0.0.1", [*sent, "for=203.0.113.9"]) == CALLER
