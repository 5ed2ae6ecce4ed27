// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title What issuers, the guardian, gateways, providers, reporters and the admin do.
abstract contract RoleActions is Ghosts {
    /// @dev Unix seconds from which a proposed loosening may be applied, 0 when none is.
    uint256[PROJECTS] private _readyAt;

    /// @notice Caps go down by at most a part, so that a run does not end here; the payout cap once per exit delay.
    function tightenCaps(uint256 project, uint256 seed) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        IReserveVault.Project memory now_ = projectOf(project);
        uint128 payoutCap = now_.payoutCap;
        if (clock >= earlierUntil[project]) {
            payoutCap = uint128(bound(seed, payoutCap - (payoutCap >> 2), payoutCap));
            if (payoutCap != now_.payoutCap) {
                (earlierCap[project], earlierUntil[project]) = (now_.payoutCap, clock + EXIT_DELAY);
            }
        }
        uint128 mintCap = uint128(bound(seed, now_.mintCap - (now_.mintCap >> 2), now_.mintCap));
        vm.prank(issuers[project]);
        vault.tightenCaps(address(tokens[project]), mintCap, payoutCap);
        _readyAt[project] = 0;
    }

    /// @notice The guardian's lower cap binds settlement at once.
    function guardCaps(uint256 project, uint256 seed) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        IReserveVault.Project memory now_ = projectOf(project);
        uint128 payoutCap = uint128(bound(seed, now_.payoutCap - (now_.payoutCap >> 2), now_.payoutCap));
        vm.prank(guardian);
        vault.tightenCaps(address(tokens[project]), now_.mintCap, payoutCap);
        (_readyAt[project], earlierUntil[project]) = (0, 0);
    }

    function removeProvider(uint256 project, uint256 seed, bool byGuardian) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        uint32[] memory providers = providersOf(project);
        uint32 provider = providers[seed % providers.length];
        vm.assume(vault.hasProvider(address(tokens[project]), provider));
        vm.prank(byGuardian ? guardian : issuers[project]);
        vault.removeProvider(address(tokens[project]), provider);
        _readyAt[project] = 0;
    }

    /// @notice Higher caps, and every provider back.
    function proposeLoosening(uint256 project, uint256 seed) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        IReserveVault.Project memory now_ = projectOf(project);
        vm.prank(issuers[project]);
        vault.proposeLoosening(
            address(tokens[project]),
            uint128(bound(seed, now_.mintCap, now_.mintCap + 3e22)),
            uint128(bound(seed, now_.payoutCap, now_.payoutCap + uint128(pars[project]) * 1500)),
            providersOf(project)
        );
        _readyAt[project] = clock + 2 * EXIT_DELAY;
    }

    function applyLoosening(uint256 seed) external {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            uint256 project = (seed % PROJECTS + i) % PROJECTS;
            uint256 readyAt = _readyAt[project];
            if (readyAt == 0 || clock > readyAt + 1 days) continue;
            if (readyAt > clock) clock = readyAt;
            return loosen(project);
        }
        vm.assume(false);
    }

    function loosen(uint256 project) private on(1 << project) {
        vm.prank(issuers[project]);
        vault.applyLoosening(address(tokens[project]));
        _readyAt[project] = 0;
        seeCaps(project);
    }

    /// @notice Rarely: a retired project takes no part in what follows but redemption and exits.
    function retire(uint256 project, uint256 seed) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        vm.assume(seed % 8 == 0 && projectOf(project).retiredAt == 0);
        vm.prank(issuers[project]);
        vault.retire(address(tokens[project]));
    }

    /// @notice Others open projects beside ours, one of them the attacker.
    function openAnother(uint256 project) external on(NO_PROJECT) {
        openProject(project % PROJECTS);
    }

    function rotateSettler(uint256 gateway) external on(NO_PROJECT) {
        gateway %= 2;
        address fresh = actor(string.concat("settler ", vm.toString(clock)));
        vm.startPrank(gateways[gateway]);
        escrow.revokeSettler(settlers[gateway]);
        escrow.appointSettler(fresh);
        vm.stopPrank();
        settlers[gateway] = fresh;
    }

    function pauseSettlement(uint256 duration) external on(NO_PROJECT) {
        uint256 last = escrow.settlementPausedUntil();
        vm.assume(last == 0 || clock >= last + 24 hours);
        vm.prank(guardian);
        escrow.pauseSettlement(uint40(bound(duration, 1, 1 hours)));
    }

    /// @notice An honest provider moves to another address.
    function changePayout(uint256 provider) external on(NO_PROJECT) {
        uint32 id = [uint32(1), 2, 4][provider % 3];
        address fresh = actor(string.concat("payout ", vm.toString(id), " ", vm.toString(clock)));
        vm.prank(registry.payoutOf(id));
        registry.changePayout(id, fresh);
    }

    /// @notice What a provider loses in the registry takes nothing from what it is owed, nor from open projects.
    function deactivateProvider(uint256 provider) external on(NO_PROJECT) {
        uint32 id = uint32(bound(provider, 1, PROVIDERS));
        uint256 owed = vault.owedTo(id);
        registry.deactivate(id);
        registry.forbidResale(id);
        if (vault.owedTo(id) != owed) broke("S7: a provider's claim went with its registration");
        registry.activate(id);
        if (id != 4) registry.allowResale(id);
    }

    // Prices

    /// @notice Moves a price by up to 9 %, which needs no queue unless the day's bounds say so.
    function movePrice(uint32 sku, uint256 seed) external {
        clock += EPOCH_LENGTH;
        move(uint32(bound(sku, 1, PROVIDERS)), seed, 91, 109);
    }

    /// @notice A leap: in the queue first, and into force with a second epoch.
    function leapPrice(uint32 sku, uint256 seed) external {
        clock += EPOCH_LENGTH;
        sku = uint32(bound(sku, 1, PROVIDERS));
        uint128 price = move(sku, seed, 50, 200);
        clock += EPOCH_LENGTH;
        confirm(sku, price);
    }

    function move(uint32 sku, uint256 seed, uint256 least, uint256 most)
        private
        on(NO_PROJECT)
        returns (uint128 price)
    {
        (, uint128 inForce) = oracle.currentPrice(sku);
        // Kept within a factor of a thousand of where it began, so that a long run stays meaningful.
        uint256 start = [uint256(2_000_000_000_000_001), 333_333, 1e18, 1e12 + 1][sku - 1];
        least = uint256(inForce) * least / 100 + 1;
        most = uint256(inForce) * most / 100 + 1;
        if (least < start / 1000) least = inForce;
        if (most > start * 1000) most = inForce;
        price = uint128(bound(seed, least, most));
        reportPrice(sku, price);
    }

    function confirm(uint32 sku, uint128 price) private on(NO_PROJECT) {
        reportPrice(sku, price);
        (, uint128 inForce) = oracle.currentPrice(sku);
        if (inForce != price) broke("a confirmed price is not in force");
    }

    function vetoPrice(uint32 sku, uint256 seed) external {
        clock += EPOCH_LENGTH;
        sku = uint32(bound(sku, 1, PROVIDERS));
        move(sku, seed, 50, 200);
        veto(sku);
    }

    function veto(uint32 sku) private on(NO_PROJECT) {
        vm.assume(oracle.queuedPriceOf(sku).usdWad != 0);
        vm.prank(guardian);
        oracle.vetoPrice(sku);
    }
}
