// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {World} from "./World.sol";

/// @title What issuers, minters, redeemers and payees do; and time and prices.
abstract contract MoneyActions is World {
    /// @dev Unix seconds from which the issuer may lower the payout cap again.
    mapping(uint256 project => uint256) private _lowerFrom;

    function mint(uint256 project, uint256 member, uint256 credits) external on(project % PROJECTS) {
        project %= PROJECTS;
        member %= members.length;
        uint256 room = vault.mintRoom(address(tokens[project]));
        if (room == 0) return;
        credits = bound(credits, 1, room < 1e24 ? room : 1e24);
        uint256 cost = vault.previewMint(address(tokens[project]), credits);
        address payer = members[member].addr;
        asset.mint(payer, cost);
        if (member == ATTACKER) attackerDue += cost;
        uint256 claims = vault.totalClaims();
        vm.startPrank(payer);
        asset.approve(address(vault), cost);
        vault.mint(address(tokens[project]), credits, cost, payer);
        vm.stopPrank();
        flows[project].minted += vault.totalClaims() - claims;
        ++did["mint"];
    }

    function redeem(uint256 project, uint256 member, uint256 credits) external on(project % PROJECTS) {
        project %= PROJECTS;
        address holder = members[member % members.length].addr;
        uint256 balance = tokens[project].balanceOf(holder);
        if (balance == 0) return;
        credits = bound(credits, 1, balance);
        uint256 claims = vault.totalClaims();
        uint256 expected = vault.previewRedeem(address(tokens[project]), credits);
        // No loss of the asset happens here, so nothing may be cut.
        assertEq(expected, credits * projectOf(project).par / 1e18, "a haircut without a loss");
        vm.prank(holder);
        vault.redeem(address(tokens[project]), credits, expected, holder);
        flows[project].redeemed += claims - vault.totalClaims();
        ++did["redeem"];
    }

    function withdrawMargin(uint256 project) external on(project % PROJECTS) {
        project %= PROJECTS;
        uint256 margin = projectOf(project).margin;
        if (margin == 0) return;
        vm.prank(issuers[project]);
        vault.withdrawMargin(address(tokens[project]), margin);
        ++did["withdrawMargin"];
    }

    function withdrawOwed(uint32 provider) external on(NO_PROJECT) {
        provider = uint32(bound(provider, 1, payouts.length - 1));
        if (vault.owedTo(provider) == 0) return;
        vault.withdrawOwed(provider, 0);
        ++did["withdrawOwed"];
    }

    /// @notice Caps go down by at most a part, so that a run does not end here; the payout cap once per exit delay.
    function tightenCaps(uint256 project, uint256 seed) external on(project % PROJECTS) {
        project %= PROJECTS;
        IReserveVault.Project memory now_ = projectOf(project);
        uint128 payoutCap = now_.payoutCap;
        if (vm.getBlockTimestamp() >= _lowerFrom[project]) {
            payoutCap = uint128(bound(seed, payoutCap >> 1, payoutCap));
            _lowerFrom[project] = vm.getBlockTimestamp() + vault.EXIT_DELAY();
        }
        vm.prank(issuers[project]);
        vault.tightenCaps(address(tokens[project]), uint128(bound(seed, now_.mintCap >> 1, now_.mintCap)), payoutCap);
        ++did["tightenCaps"];
    }

    function loosen(uint256 project, uint256 mintCap, uint256 payoutCap) external on(project % PROJECTS) {
        project %= PROJECTS;
        address token = address(tokens[project]);
        vm.startPrank(issuers[project]);
        try vault.applyLoosening(token) {
            ++did["applyLoosening"];
        } catch {
            IReserveVault.Project memory now_ = projectOf(project);
            vault.proposeLoosening(
                token,
                uint128(bound(mintCap, now_.mintCap, 1e30)),
                uint128(bound(payoutCap, now_.payoutCap, 1e30)),
                new uint32[](0)
            );
            ++did["proposeLoosening"];
        }
        vm.stopPrank();
    }

    /// @notice Rarely: a retired project takes no part in what follows but redemption and exits.
    function retire(uint256 project, uint256 seed) external on(project % PROJECTS) {
        project %= PROJECTS;
        if (seed % 20 != 0 || projectOf(project).retiredAt != 0) return;
        vm.prank(issuers[project]);
        vault.retire(address(tokens[project]));
        ++did["retire"];
    }

    function donate(uint256 assets) external on(NO_PROJECT) {
        asset.mint(address(vault), bound(assets, 1, 1e9));
        vault.sweep(address(0xdead));
        ++did["sweep"];
    }

    function passTime(uint256 duration) external on(NO_PROJECT) {
        clock += bound(duration, 1, 12 hours);
        ++did["passTime"];
    }

    /// @notice Moves a price by up to 9 %, which needs no queue unless the day's bounds say so.
    function movePrice(uint32 sku, uint256 seed) external {
        nextEpoch();
        moveTo(uint32(bound(sku, 1, 4)), seed);
    }

    function moveTo(uint32 sku, uint256 seed) private on(NO_PROJECT) {
        (, uint128 inForce) = oracle.currentPrice(sku);
        reportPrice(sku, uint128(bound(seed, uint256(inForce) * 91 / 100 + 1, uint256(inForce) * 109 / 100 + 1)));
        ++did["movePrice"];
    }
}
