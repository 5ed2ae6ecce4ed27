// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {HolderActions} from "./HolderActions.sol";
import {MoneyActions} from "./MoneyActions.sol";
import {SettlerActions} from "./SettlerActions.sol";

/// @title Everything that anybody does, and what must hold after each of it.
contract Handler is MoneyActions, HolderActions, SettlerActions {
    /// @notice The attacker tries what nobody may: each of these reverts, or something is broken.
    function trespass(uint256 seed) external on(NO_PROJECT) {
        address token = address(tokens[seed % PROJECTS]);
        address attacker = members[ATTACKER].addr;
        bytes[10] memory calls = [
            abi.encodeCall(vault.settle, (token, attacker, 1, 0, "", 0)),
            abi.encodeCall(vault.setEscrow, (attacker)),
            abi.encodeCall(vault.sweep, (attacker)),
            abi.encodeCall(vault.tightenCaps, (address(tokens[0]), 0, 0)),
            abi.encodeCall(vault.retire, (address(tokens[1]))),
            abi.encodeCall(vault.removeProvider, (address(tokens[0]), 1)),
            abi.encodeCall(vault.withdrawMargin, (address(tokens[0]), 0)),
            abi.encodeCall(vault.applyLoosening, (address(tokens[1]))),
            abi.encodeCall(tokens[0].mint, (attacker, 1e18)),
            abi.encodeCall(tokens[0].burn, (members[0].addr, 0))
        ];
        uint256 index = (seed >> 8) % calls.length;
        vm.prank(attacker);
        (bool done,) = (index < 8 ? address(vault) : address(tokens[0])).call(calls[index]);
        if (done) broken.push("the attacker was let in");
        ++did["trespass"];
    }

    /// @notice What was seen to break during calls.
    function violations() external view returns (string[] memory) {
        return broken;
    }

    /// @notice S1.
    function requireReserves() external view {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            IReserveVault.Project memory project = projectOf(i);
            assertGe(uint256(project.reserve) * 1e18, supplyOf(i) * project.par, "S1: supply above its reserve");
        }
    }

    /// @notice S2.
    function requireClaims() external view {
        uint256 claims = owedToAll();
        for (uint256 i = 0; i < PROJECTS; ++i) {
            IReserveVault.Project memory project = projectOf(i);
            claims += uint256(project.reserve) + project.margin;
        }
        assertEq(vault.totalClaims(), claims, "S2: claims do not add up");
        assertGe(asset.balanceOf(address(vault)), claims, "S2: claims above the vault's balance");
    }

    /// @notice S3.
    function requireNoGain() external view {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            Flow memory flow = flows[i];
            assertEq(
                flow.minted, flow.redeemed + flow.settled + projectOf(i).reserve, "S3: a project's flows do not add up"
            );
        }
        assertLe(attackersWealth(), attackerDue, "S3: the attacker gained");
    }

    /// @notice S9.
    function requireEscrow() external view {
        uint256[PROJECTS] memory sums;
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            sums[indexOf(accountKeys[i].token)] += escrow.accountOf(escrow.accountId(accountKeys[i])).balance;
        }
        for (uint256 i = 0; i < PROJECTS; ++i) {
            assertEq(escrow.totalBalance(address(tokens[i])), sums[i], "S9: accounts do not add up");
            assertGe(tokens[i].balanceOf(address(escrow)), sums[i], "S9: accounts above the escrow's balance");
        }
    }
}
