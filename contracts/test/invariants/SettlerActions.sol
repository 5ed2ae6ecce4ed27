// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {Batches} from "./Batches.sol";

/// @title What settlers do: good batches, short ones, faulty ones, and those that must not pass.
abstract contract SettlerActions is Batches {
    bytes private _last;
    uint256 private _lastGateway;

    /// @notice An honest batch: every line is covered and the usage costs what the lines ask for.
    function settle(uint256 project, uint256 gateway, uint256[3] calldata seeds, uint256 claim)
        external
        on(1 << (project % PROJECTS))
    {
        send(prepare(project, gateway, seeds, claim, Fault.None));
    }

    /// @notice Lines ask for more than their accounts hold, so the backing does not cover the usage.
    function settleShort(uint256 project, uint256 gateway, uint256[3] calldata seeds, uint256 claim)
        external
        on(1 << (project % PROJECTS))
    {
        send(prepare(project, gateway, seeds, claim, Fault.AboveBalance));
    }

    /// @notice One good line among two bad ones.
    function settleFaulty(uint256 project, uint256 gateway, uint256[3] calldata seeds, uint256 claim)
        external
        on(1 << (project % PROJECTS))
    {
        send(prepare(project, gateway, seeds, claim, Fault(2 + claim % 6)));
    }

    /// @notice The usage costs twice what the lines ask for.
    function settleForTooLittle(uint256 project, uint256 gateway, uint256[3] calldata seeds, uint256 claim)
        external
        on(1 << (project % PROJECTS))
    {
        Batch memory batch = prepare(project, gateway, seeds, claim, Fault.None);
        batch.usage = "";
        batch.usdWad = 0;
        claimUsage(batch, claim, 2 * costOf(batch));
        send(batch);
    }

    function settleTwo(uint256 gateway, uint256[3] calldata seeds, uint256 claim)
        external
        on(7 ^ (1 << (claim % PROJECTS)))
    {
        // All but one of the three.
        claim = claim % PROJECTS + 1;
        Batch[] memory batches = new Batch[](2);
        batches[0] = prepare(claim, gateway, seeds, seeds[0] ^ seeds[1], Fault.None);
        batches[1] = prepare(claim + 1, gateway, [seeds[1], seeds[2], seeds[0]], seeds[2], Fault.None);
        if (address(tokens[batches[0].project]) > address(tokens[batches[1].project])) {
            (batches[0], batches[1]) = (batches[1], batches[0]);
        }
        send(batches);
    }

    /// @notice One line that asks for a speck more than its usage lets: refused (S5).
    function overBurn(uint256 project, uint256 gateway, uint256 seed) external on(NO_PROJECT) {
        Batch memory batch = open(project, gateway);
        addLine(batch, seed, Fault.None);
        (uint32[] memory providers, uint256 count) = payable_(batch.project);
        vm.assume(batch.asked != 0 && count != 0);
        (uint32 version, uint128 price) = oracle.currentPrice(providers[0]);
        uint256 quantity = (costOf(batch) - 1) / price;
        uint256 cost = quantity * price * 1e6 * (1e4 + markupOf(batch.project));
        vm.assume(cost < batch.asked * pars[batch.project] * 1e4);
        batch.usage = abi.encodePacked(providers[0], providers[0], version, uint128(quantity));
        refused(batch, IReserveVault.OverBurn.selector, "S5: burned more than the usage costs");
    }

    /// @notice A line that would take what the day's payout cap no longer leaves: refused (S8).
    function settleAboveCap(uint256 project, uint256 gateway, uint256 seed, uint256 claim) external on(NO_PROJECT) {
        Batch memory batch = open(project, gateway);
        uint256[] storage indexes = accountsAt[batch.project][batch.gateway];
        uint256 left = settlingCap(batch.project) - days_[batch.project].taken[batch.gateway];
        uint256 above = (left + 1) * 1e18 / pars[batch.project] + NANOCREDIT;
        uint256 tries = indexes.length;
        while (tries != 0 && escrow.accountOf(accountIds[indexes[seed % indexes.length]]).balance < above) {
            (seed, tries) = (seed >> 8 | seed << 248, tries - 1);
        }
        vm.assume(tries != 0);
        (batch.least, batch.most) = (above, type(uint96).max);
        addLine(batch, seed, Fault.None);
        claimUsage(batch, claim, costOf(batch));
        refused(batch, IReserveVault.PayoutAboveCap.selector, "S8: paid out above the day's cap");
    }

    /// @notice A batch again, by its own settler or by the other gateway's: refused (S6).
    function resend(bool byAnother) external on(NO_PROJECT) {
        vm.assume(_last.length != 0);
        vm.prank(settlers[byAnother ? 1 - _lastGateway : _lastGateway]);
        (bool done,) = address(escrow).call(_last);
        if (done) broke("S6: a batch settled twice");
    }

    function release(uint256 seed, uint256 credits) external on(bitOf(pickFull(seed))) {
        uint256 index = pickFull(seed);
        ISpendEscrow.AccountKey memory key = accountKeys[index];
        uint256 balance = escrow.accountOf(accountIds[index]).balance;
        vm.prank(settlers[key.gateway == gateways[0] ? 0 : 1]);
        escrow.release(key, bound(credits, 1, balance / NANOCREDIT) * NANOCREDIT);
    }

    function pickFull(uint256 seed) private view returns (uint256 index) {
        for (uint256 i = 0; i < accountIds.length; ++i) {
            index = (seed % accountIds.length + i) % accountIds.length;
            if (escrow.accountOf(accountIds[index]).balance != 0) return index;
        }
        vm.assume(false);
    }

    function refused(Batch memory batch, bytes4 reason, string memory rule) private {
        Batch[] memory batches = new Batch[](1);
        batches[0] = batch;
        bytes memory sent = encode(batches);
        vm.prank(settlers[batch.gateway]);
        (bool done, bytes memory answer) = address(escrow).call(sent);
        if (done || bytes4(answer) != reason) broke(rule);
    }

    function send(Batch memory batch) private {
        Batch[] memory batches = new Batch[](1);
        batches[0] = batch;
        send(batches);
    }

    function send(Batch[] memory batches) private {
        uint256[] memory supplies = new uint256[](batches.length);
        uint256[] memory reserves = new uint256[](batches.length);
        for (uint256 i = 0; i < batches.length; ++i) {
            vm.assume(batches[i].lines.length != 0);
            supplies[i] = supplyOf(batches[i].project);
            reserves[i] = projectOf(batches[i].project).reserve;
        }
        uint256 owed = owedToAll();
        uint256 wealth = watches(WEALTH) ? attackersWealth() : 0;
        uint256 gateway = batches[0].gateway;
        (_last, _lastGateway) = (encode(batches), gateway);
        vm.prank(settlers[gateway]);
        (bool done, bytes memory answer) = address(escrow).call(_last);
        if (!done) bubble(answer);

        // Holders may spend on the attacker's project and provider, through a gateway that they trust.
        if (gateway == 0 && watches(WEALTH)) attackerDue = attackerDue + attackersWealth() - wealth;
        uint256 paid = owedToAll() - owed;
        uint256 backing;
        for (uint256 i = 0; i < batches.length; ++i) {
            uint256 project = batches[i].project;
            uint256 freed = reserves[i] - projectOf(project).reserve;
            backing += freed;
            flows[project].settled += freed;
            days_[project].taken[gateway] += freed;
            checkBurn(batches[i], supplies[i] - supplyOf(project), freed);
        }
        if (paid > backing) broke("S5: providers got more than the backing");
    }

    /// @dev S5, multiplied out: nothing here is rounded.
    function checkBurn(Batch memory batch, uint256 burned, uint256 backing) private {
        uint256 par = pars[batch.project];
        if (backing * 1e18 > burned * par) broke("S5: freed above the backing of what was burned");
        uint256 cost = batch.usdWad * 1e6 * (1e4 + markupOf(batch.project));
        uint256 rounding = uint256(batch.requests) * NANOCREDIT * par * 1e4;
        if (burned * par * 1e4 > cost + rounding) broke("S5: burned above the cost of the usage");
    }

    function bubble(bytes memory answer) private pure {
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
