// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title What minters, redeemers and payees do with dollars and credits.
abstract contract MoneyActions is Ghosts {
    function mint(uint256 project, uint256 member, uint256 credits) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        member %= MEMBERS;
        uint256 room = vault.mintRoom(address(tokens[project]));
        vm.assume(room != 0);
        buy(project, member, bound(credits, 1, room));
    }

    /// @notice More than the day's cap lets: refused, whoever asks (S8).
    function mintAboveRoom(uint256 project, uint256 member, uint256 credits) external on(NO_PROJECT) {
        project %= PROJECTS;
        address token = address(tokens[project]);
        vm.assume(vault.acceptsDeposits(token));
        credits = vault.mintRoom(token) + bound(credits, 1, 1e24);
        uint256 cost = vault.previewMint(token, credits);
        address payer = members[member % MEMBERS].addr;
        asset.mint(payer, cost);
        vm.startPrank(payer);
        asset.approve(address(vault), cost);
        try vault.mint(token, credits, cost, payer) {
            broke("S8: minted above the day's cap");
        } catch (bytes memory reason) {
            if (bytes4(reason) != IReserveVault.MintAboveCap.selector) broke("S8: refused for another reason");
        }
        asset.transfer(address(0xdead), cost);
        vm.stopPrank();
    }

    /// @notice All that may be minted, minted and redeemed at once: others can mint as much as before (S8), and nobody
    ///     gained (S3).
    function flash(uint256 project, uint256 member) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        member %= MEMBERS;
        address token = address(tokens[project]);
        uint256 room = vault.mintRoom(token);
        vm.assume(room != 0);
        buy(project, member, room);
        sell(project, members[member].addr, room);
        if (vault.mintRoom(token) != room) broke("S8: a flash loan used up the window");
    }

    function redeem(uint256 project, uint256 member, uint256 credits) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        address holder = members[member % MEMBERS].addr;
        uint256 balance = tokens[project].balanceOf(holder);
        vm.assume(balance != 0);
        sell(project, holder, bound(credits, 1, balance));
    }

    /// @notice Nobody gives credits to the attacker, who else could come out ahead (S3).
    function send(uint256 project, uint256 from, uint256 to, uint256 credits) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        address sender = members[from % MEMBERS].addr;
        uint256 balance = tokens[project].balanceOf(sender);
        vm.assume(balance != 0);
        vm.prank(sender);
        tokens[project].transfer(members[to % ATTACKER].addr, bound(credits, 1, balance));
    }

    /// @notice Credits sent to the escrow's address belong to no account (S9).
    function lose(uint256 project, uint256 member, uint256 credits) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        address sender = members[member % MEMBERS].addr;
        uint256 balance = tokens[project].balanceOf(sender);
        vm.assume(balance != 0);
        vm.prank(sender);
        tokens[project].transfer(address(escrow), bound(credits, 1, balance < 1e12 ? balance : 1e12));
    }

    function withdrawMargin(uint256 project) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        uint256 margin = projectOf(project).margin;
        vm.assume(margin != 0);
        (uint256 balance, uint256 claims) = ratio();
        vm.prank(issuers[project]);
        uint256 paid = vault.withdrawMargin(address(tokens[project]), watches(LOSSES) ? 0 : margin);
        checkPayout(margin, paid, balance, claims);
    }

    function withdrawOwed(uint32 provider) external on(NO_PROJECT) {
        provider = uint32(bound(provider, 1, PROVIDERS));
        uint256 owed = vault.owedTo(provider);
        vm.assume(owed != 0);
        (uint256 balance, uint256 claims) = ratio();
        vm.prank(registry.payoutOf(provider));
        checkPayout(owed, vault.withdrawOwed(provider, 0), balance, claims);
    }

    /// @notice Dollars sent to the vault's address are no one's claim: no rate moves (S2, S3).
    function donate(uint256 assets) external on(NO_PROJECT) {
        asset.mint(address(vault), bound(assets, 1, 1e9));
    }

    function sweep() external on(NO_PROJECT) {
        uint256 excess = asset.balanceOf(address(vault)) - vault.totalClaims();
        vm.assume(excess != 0);
        if (vault.sweep(address(0xdead)) != excess) broke("S2: swept another amount than the excess");
    }

    function passTime(uint256 duration) external on(NO_PROJECT) {
        clock += bound(duration, 1, 12 hours);
    }

    function buy(uint256 project, uint256 member, uint256 credits) internal {
        address token = address(tokens[project]);
        address payer = members[member].addr;
        uint256 cost = vault.previewMint(token, credits);
        asset.mint(payer, cost);
        if (member == ATTACKER) attackerDue += cost;
        uint256 claims = vault.totalClaims();
        vm.startPrank(payer);
        asset.approve(address(vault), cost);
        vault.mint(token, credits, cost, payer);
        vm.stopPrank();
        flows[project].minted += vault.totalClaims() - claims;
    }

    function sell(uint256 project, address holder, uint256 credits) private {
        uint256 claim = credits * pars[project] / 1e18;
        (uint256 balance, uint256 claims) = ratio();
        vm.prank(holder);
        uint256 paid = vault.redeem(address(tokens[project]), credits, watches(LOSSES) ? 0 : claim, holder);
        flows[project].redeemed += claims - vault.totalClaims();
        checkPayout(claim, paid, balance, claims);
    }

    function ratio() private view returns (uint256 balance, uint256 claims) {
        return (asset.balanceOf(address(vault)), vault.totalClaims());
    }

    /// @dev A claim goes in full, and pays its share: of a loss as much as everybody's, and without one all of it.
    function checkPayout(uint256 claim, uint256 paid, uint256 balance, uint256 claims) private {
        uint256 expected = balance < claims ? claim * balance / claims : claim;
        if (paid != expected) broke("S2: a payout is not its claim's share");
        (uint256 left, uint256 open) = ratio();
        if (open != claims - claim) broke("S2: a claim did not go in full");
        if (balance < claims && left * claims < balance * open) broke("S2: a payout left the others less");
    }
}
