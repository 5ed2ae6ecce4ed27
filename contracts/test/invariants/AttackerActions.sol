// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title The attacker, an issuer, provider, gateway and settler, tries what none of these may: all of it reverts.
abstract contract AttackerActions is Ghosts {
    function trespassOnVault(uint256 seed) external on(NO_PROJECT) {
        address attacker = members[ATTACKER].addr;
        address victim = address(tokens[seed % 2]);
        address own = address(tokens[2]);
        bytes[13] memory calls = [
            abi.encodeCall(vault.settle, (own, attacker, 1, 0, "", 0)),
            abi.encodeCall(
                vault.mintToEscrow, (own, "", IReserveVault.AssetAuthorization(attacker, 1, 0, clock + 1, ""))
            ),
            abi.encodeCall(vault.setEscrow, (attacker)),
            abi.encodeCall(vault.sweep, (attacker)),
            abi.encodeCall(vault.tightenCaps, (victim, 0, 0)),
            abi.encodeCall(vault.tightenCaps, (own, type(uint128).max, type(uint128).max)),
            abi.encodeCall(vault.retire, (victim)),
            abi.encodeCall(vault.removeProvider, (victim, providersOf(seed % 2)[0])),
            abi.encodeCall(vault.withdrawMargin, (victim, 0)),
            abi.encodeCall(vault.proposeLoosening, (victim, 3e30, 3e30, new uint32[](0))),
            abi.encodeCall(vault.applyLoosening, (victim)),
            abi.encodeCall(vault.setListMember, (victim, attacker, true)),
            abi.encodeCall(vault.redeem, (victim, type(uint256).max, 0, attacker))
        ];
        attempt(address(vault), calls[(seed >> 8) % calls.length]);
    }

    function trespassOnEscrow(uint256 seed) external on(NO_PROJECT) {
        address attacker = members[ATTACKER].addr;
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        // The attacker's own accounts are its own to release.
        vm.assume(key.gateway == gateways[0]);
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](1);
        batches[0] = ISpendEscrow.TokenBatch(key.token, 0, new bytes(133), "");
        uint64 next = escrow.nextBatchId(key.gateway);
        bytes[5] memory calls = [
            abi.encodeCall(escrow.release, (key, NANOCREDIT)),
            abi.encodeCall(escrow.settle, (key.gateway, next, bytes32(0), batches)),
            abi.encodeCall(escrow.depositWithAuthorization, (key, NANOCREDIT, "", 0, clock + 1, new bytes(65))),
            abi.encodeCall(escrow.deposit, (attacker, key.gateway, key.signer, NANOCREDIT)),
            abi.encodeCall(escrow.pauseSettlement, (1))
        ];
        attempt(address(escrow), calls[(seed >> 8) % calls.length]);
    }

    function trespassOnOthers(uint256 seed) external on(NO_PROJECT) {
        address attacker = members[ATTACKER].addr;
        address victim = members[seed % ATTACKER].addr;
        address token = address(tokens[seed % PROJECTS]);
        address[] memory reporters = new address[](4);
        bytes[5] memory onToken = [
            abi.encodeCall(tokens[0].mint, (attacker, 1e18)),
            abi.encodeCall(tokens[0].burn, (victim, 1)),
            abi.encodeCall(tokens[0].transferFrom, (victim, attacker, 1)),
            abi.encodeCall(tokens[0].transferWithAuthorization, (victim, attacker, 1, 0, clock + 1, "", 27, "r", "s")),
            abi.encodeWithSignature(
                "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
                escrow,
                attacker,
                1,
                0,
                clock + 1,
                bytes32(0),
                new bytes(65)
            )
        ];
        bytes[5] memory onOracle = [
            abi.encodeCall(oracle.report, (new IPriceOracle.PriceReport[](3))),
            abi.encodeCall(oracle.setReporters, (reporters, 3)),
            abi.encodeCall(oracle.vetoPrice, (1)),
            abi.encodeCall(oracle.declareDepeg, ()),
            abi.encodeCall(oracle.addSku, ("x"))
        ];
        attempt(token, onToken[(seed >> 8) % 5]);
        attempt(address(oracle), onOracle[(seed >> 16) % 5]);
        attempt(address(registry), abi.encodeCall(registry.changePayout, (uint32(1), attacker)));
    }

    function attempt(address target, bytes memory input) private {
        vm.prank(members[ATTACKER].addr);
        (bool done,) = target.call(input);
        if (done) broke("the attacker was let in");
    }
}
