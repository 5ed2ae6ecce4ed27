// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {AttackerActions} from "./AttackerActions.sol";
import {Ghosts} from "./Ghosts.sol";
import {HolderActions} from "./HolderActions.sol";
import {LossActions} from "./LossActions.sol";
import {RoleActions} from "./RoleActions.sol";
import {SettlerActions} from "./SettlerActions.sol";

/// @title Everything that anybody does, and what must hold after each of it.
contract Handler is HolderActions, SettlerActions, RoleActions, AttackerActions, LossActions {
    constructor(uint256 watched) Ghosts(watched) {
        for (uint256 project = 0; project < PROJECTS; ++project) {
            for (uint256 member = 0; member < MEMBERS; ++member) {
                buy(project, member, 5e21);
                put(project, 0, member, member % 2 == 0, 2e21);
            }
            put(project, 1, ATTACKER, false, 1e21);
        }
        rememberAll();
    }

    /// @notice S1.
    function requireReserves() external view {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            IReserveVault.Project memory project = projectOf(i);
            assertGe(uint256(project.reserve) * 1e18, supplyOf(i) * project.par, "S1: supply above its reserve");
        }
    }

    /// @notice S2. While the asset itself was lost, the claims still add up.
    function requireClaims() external view {
        uint256 claims = owedToAll();
        for (uint256 i = 0; i < PROJECTS; ++i) {
            IReserveVault.Project memory project = projectOf(i);
            claims += uint256(project.reserve) + project.margin;
        }
        assertEq(vault.totalClaims(), claims, "S2: claims do not add up");
        if (!watches(LOSSES)) {
            assertGe(asset.balanceOf(address(vault)), claims, "S2: claims above the vault's balance");
        }
    }

    /// @notice S3, project by project: what came in is what went out and what is there.
    function requireFlows() external view {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            Flow memory flow = flows[i];
            assertEq(
                flow.minted, flow.redeemed + flow.settled + projectOf(i).reserve, "S3: a project's flows do not add up"
            );
        }
    }

    /// @notice S3, for one who plays every part.
    function requireNoGain() external view {
        assertLe(attackersWealth(), attackerDue, "S3: the attacker gained");
    }

    /// @notice S8.
    function requireMintCaps() external view {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            Day memory day = days_[i];
            assertLe(supplyOf(i), day.supplyAtStart + day.mintCap, "S8: the supply grew by more than a day's cap");
        }
    }

    /// @notice S8: whoever holds a settler's key, a gateway takes no more in a day.
    function requirePayoutCaps() external view {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            Day memory day = days_[i];
            assertLe(day.taken[0], day.payoutCap, "S8: a gateway took more than a day's cap");
            assertLe(day.taken[1], day.payoutCap, "S8: the attacker's gateway took more than a day's cap");
        }
    }

    /// @notice S9.
    function requireEscrow() external view {
        uint256[PROJECTS] memory sums;
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            sums[indexOf(accountKeys[i].token)] += escrow.accountOf(accountIds[i]).balance;
        }
        for (uint256 i = 0; i < PROJECTS; ++i) {
            assertEq(escrow.totalBalance(address(tokens[i])), sums[i], "S9: accounts do not add up");
            assertGe(tokens[i].balanceOf(address(escrow)), sums[i], "S9: accounts above the escrow's balance");
        }
    }

    /// @notice S7. One member's way out of one project now: with settlement paused, oracle and registry dead and a provider
    ///     that the asset refuses, it has every credit back and redeemed within the exit delay.
    /// @dev What this does to the chain is forgotten afterwards.
    function requireWayOut() external {
        uint256 seed = uint256(keccak256(abi.encode(clock, vault.totalClaims(), accountKeys.length)));
        uint256 project = seed % PROJECTS;
        address holder = members[(seed >> 8) % MEMBERS].addr;
        address token = address(tokens[project]);
        vm.warp(clock);
        blockOneProvider(uint32(1 + (seed >> 16) % PROVIDERS), uint32(1 + (seed >> 24) % PROVIDERS));
        vm.etch(address(oracle), hex"fe");
        vm.etch(address(registry), hex"fe");

        uint256 credits = tokens[project].balanceOf(holder);
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            ISpendEscrow.AccountKey memory key = accountKeys[i];
            if (key.holder != holder || key.token != token) continue;
            credits += escrow.accountOf(accountIds[i]).balance;
            vm.prank(holder);
            escrow.startClose(token, key.gateway, key.signer);
        }
        vm.warp(clock + EXIT_DELAY);
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            if (accountKeys[i].holder == holder && accountKeys[i].token == token) escrow.executeExit(accountKeys[i]);
        }
        if (credits == 0) return;
        vm.prank(holder);
        uint256 assets = vault.redeem(token, credits, 0, holder);
        assertEq(assets, credits * pars[project] / 1e18, "S7: a way out that pays less than par");
    }

    /// @dev A payee that the asset blocklists stops nobody's withdrawal but its own.
    function blockOneProvider(uint32 blocked, uint32 other) private {
        address payout = registry.payoutOf(blocked);
        vm.mockCallRevert(address(asset), abi.encodeWithSelector(asset.transfer.selector, payout), "blocklisted");
        if (blocked != other && vault.owedTo(other) != 0) vault.withdrawOwed(other, 0);
        vm.clearMockedCalls();
    }
}
