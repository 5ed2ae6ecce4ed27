"""Who can do what is read from the chain, and nothing that asks for a role is left out."""

import re
from pathlib import Path

import pytest
from tests.usecases.town import Town, new_project

from mintery.chain.access import ADMIN_ROLE, GUARDIAN_ROLE, PUBLIC_ROLE, AccessManager, Announced, Member
from mintery.chain.artifact import load_artifact
from mintery.chain.roles import GUARDED, RESTRICTED
from mintery.chain.rpc import Call
from mintery.cli.commands.roles import _facts as roles_facts
from mintery.cli.commands.roles import _rows as roles_rows
from mintery.cli.output import show, table
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.domain.voucher import Address
from mintery.usecases.show_roles import Roles, name_of, show_roles

CONTRACTS = Path(__file__).parents[2] / "contracts"
SOURCES = {
    "vault": ("ReserveVault", "ProjectTerms"),
    "escrow": ("SpendEscrow", "EscrowAccounts"),
    "oracle": ("PriceOracle",),
    "registry": ("ProviderRegistry",),
}
RESTRICTED_FUNCTION = re.compile(r"function (\w+)\([^)]*\)[^{;]*?\brestricted\b")
TIGHTENS = re.compile(r"function (\w+)\([^{]*\{[^}]*_projectTightenedBySender")


def roles_of(town: Town) -> Roles:
    return show_roles(town.chain, town.rpc.block())


def test_every_function_that_asks_for_a_role_is_listed():
    for contract, sources in SOURCES.items():
        text = "".join((CONTRACTS / f"{source}.sol").read_text() for source in sources)
        asking = {*RESTRICTED_FUNCTION.findall(text), *TIGHTENS.findall(text)}

        assert asking == set(RESTRICTED[contract])
        assert set(GUARDED[contract]) <= asking


def test_members_functions_and_what_was_announced(town: Town):
    access, admin = town.chain.contracts.access, town.admin
    stranger, multisig = PrivateKey.generate().address, PrivateKey.generate().address
    before = roles_of(town)
    access.multicall(
        admin,
        [
            access.grant_call(GUARDIAN_ROLE, stranger, delay=0),
            access.grant_call(ADMIN_ROLE, multisig, delay=7_200),
        ],
        action="grant",
    )
    after = roles_of(town)
    admin.send(access.revoke_call(GUARDIAN_ROLE, stranger))
    admin.send(access.revoke_call(ADMIN_ROLE, multisig))
    revoked = roles_of(town)

    deployer = dev_key(0).address
    assert {(m.role, m.account, m.delay) for m in before.members} == {
        (ADMIN_ROLE, deployer, 0),
        (GUARDIAN_ROLE, deployer, 0),
    }
    assert {(m.role, m.account, m.delay) for m in set(after.members) - set(before.members)} == {
        (GUARDIAN_ROLE, stranger, 0),
        (ADMIN_ROLE, multisig, 7_200),
    }
    assert revoked.members == before.members
    by_role = {entry.role: entry.functions for entry in before.functions}
    assert "ReserveVault.sweep" in by_role[ADMIN_ROLE]
    assert by_role[GUARDIAN_ROLE] == (
        "PriceOracle.declareDepeg",
        "PriceOracle.vetoPrice",
        "ProviderRegistry.deactivate",
        "ProviderRegistry.forbidResale",
        "ReserveVault.removeProvider",
        "ReserveVault.retire",
        "ReserveVault.setListMember",
        "ReserveVault.tightenCaps",
        "SpendEscrow.pauseSettlement",
    )


def test_an_announced_call_is_shown_until_it_is_done(town: Town):
    access, patient = town.chain.contracts.access, town.funded()
    town.admin.send(access.grant_call(ADMIN_ROLE, patient.address, delay=7_200))
    sender, call = town.chain.sender(patient), town.chain.oracle.add_sku_call("acme/tts:second")
    access.schedule(sender, call)
    announced = roles_of(town).announced
    town.advance(7_200)
    access.execute(sender, call)

    done = roles_of(town).announced

    (waiting,) = announced
    scheduled_at = town.rpc.block().timestamp
    assert isinstance(waiting, Announced)
    assert (waiting.caller, name_of(town.chain, waiting.target, waiting.calldata)) == (
        patient.address,
        "PriceOracle.addSku",
    )
    assert 0 <= scheduled_at - waiting.ready_at < 600
    assert done == ()


def test_settlers_reporters_and_issuers(town: Town):
    gateway, hot, retired_key = town.funded(), PrivateKey.generate().address, PrivateKey.generate().address
    sender, escrow = town.chain.sender(gateway), town.chain.escrow
    escrow.appoint_settler(sender, hot)
    escrow.appoint_settler(sender, retired_key)
    escrow.revoke_settler(sender, retired_key)
    token = new_project(town)
    town.chain.vault.retire(town.issuer, token)

    roles = roles_of(town)

    assert [settler for of, settler in roles.settlers if of == gateway.address] == [hot]
    assert (len(roles.reporters), roles.quorum) == (5, 3)
    assert roles.exit_delay == 3_600
    project = next(project for project in roles.projects if project.token == token)
    assert (project.issuer, project.public_mint, project.retired) == (town.issuer.address, True, True)
    assert project.loosening_delay == 7_200


def test_another_authority_and_what_anyone_may_call_are_told(town: Town, capsys: pytest.CaptureFixture[str]):
    access, oracle, registry = town.chain.contracts.access, town.chain.oracle, town.chain.registry
    creation = load_artifact("AccessManager").init_code(town.admin.address)
    created = town.admin.send(Call("deploy another AccessManager", None, creation)).created
    assert created is not None
    elsewhere = AccessManager(town.rpc, Address(created))
    before = roles_of(town)
    town.admin.send(access.function_roles_call(registry, ["activate"], PUBLIC_ROLE))
    town.admin.send(access.call("updateAuthority", oracle.address, elsewhere.address))
    changed = roles_of(town)
    town.admin.send(access.function_roles_call(registry, ["activate"], ADMIN_ROLE))
    town.admin.send(elsewhere.call("updateAuthority", oracle.address, access.address))

    facts = roles_facts(town.chain, changed)
    show(facts, table("roles", ("who", "role", "after", "what"), roles_rows(facts)), as_json=False)
    shown = capsys.readouterr().out

    assert before.other_authorities == ()
    assert changed.other_authorities == (("PriceOracle", elsewhere.address),)
    assert "decides for PriceOracle" in shown
    assert facts["open_to_anyone"] == ["ProviderRegistry.activate"]
    assert re.search(r"anyone +anyone +at once +ProviderRegistry\.activate", shown)
    assert roles_of(town).other_authorities == ()


def test_a_membership_says_since_when(town: Town):
    member = roles_of(town).members[0]

    assert isinstance(member, Member)
    assert 0 < member.since <= town.rpc.block().timestamp
