// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title How a batch is made: lines that spend accounts of one project through one gateway, and the usage they pay for.
abstract contract Batches is Ghosts {
    enum Fault {
        None,
        AboveBalance,
        WrongSigner,
        Expired,
        WrongEpoch,
        AboveVoucher,
        BrokenNanocredit,
        NothingNew
    }

    struct Line {
        uint96 maxSpend;
        uint96 spentAfter;
        uint40 deadline;
        uint32 epoch;
        uint256 key;
    }

    struct Batch {
        uint256 project;
        uint256 gateway;
        bytes lines;
        // Credits that one line asks for, within which the day's payout cap is kept.
        uint256 least;
        uint256 most;
        // Credits that the lines ask for, the good and the bad.
        uint256 asked;
        uint256 usdWad;
        bytes usage;
        uint24 requests;
    }

    function prepare(uint256 project, uint256 gateway, uint256[3] memory seeds, uint256 claim, Fault fault)
        internal
        returns (Batch memory batch)
    {
        batch = open(project, gateway);
        for (uint256 i = 0; i < seeds.length; ++i) {
            // Of faulty lines one is good, so that the others are seen not to stop it.
            addLine(batch, seeds[i], i == claim % 3 && fault != Fault.AboveBalance ? Fault.None : fault);
        }
        batch.requests = uint24(claim % 4);
        claimUsage(batch, claim, costOf(batch));
    }

    function open(uint256 project, uint256 gateway) internal view returns (Batch memory batch) {
        (batch.project, batch.gateway) = (project % PROJECTS, gateway % 2);
        uint40 retiredAt = projectOf(batch.project).retiredAt;
        vm.assume(clock >= escrow.settlementPausedUntil());
        vm.assume(retiredAt == 0 || clock < retiredAt + 2 * EXIT_DELAY);
        uint256 cap = settlingCap(batch.project);
        uint256 taken = days_[batch.project].taken[batch.gateway];
        batch.most = taken < cap ? (cap - taken) * 1e18 / pars[batch.project] / 3 : 0;
        vm.assume(batch.most >= NANOCREDIT);
    }

    /// @notice What settlement goes by: for an exit delay after the issuer lowered it, the earlier cap.
    function settlingCap(uint256 project) internal view returns (uint256) {
        return clock < earlierUntil[project] ? earlierCap[project] : projectOf(project).payoutCap;
    }

    function addLine(Batch memory batch, uint256 seed, Fault fault) internal {
        uint256[] storage indexes = accountsAt[batch.project][batch.gateway];
        vm.assume(indexes.length != 0);
        uint256 index = indexes[seed % indexes.length];
        ISpendEscrow.AccountKey memory key = accountKeys[index];
        ISpendEscrow.Account memory seen = escrow.accountOf(accountIds[index]);
        uint256 most = seen.balance / NANOCREDIT;
        if (most > batch.most / NANOCREDIT) most = batch.most / NANOCREDIT;
        uint256 wanted =
            most <= batch.least / NANOCREDIT ? 0 : bound(seed >> 72, batch.least / NANOCREDIT + 1, most) * NANOCREDIT;
        // All of the balance burns, which the day's cap must leave room for.
        if (fault == Fault.AboveBalance && seen.balance <= batch.most) {
            wanted = (seen.balance / NANOCREDIT + 1 + (seed >> 72) % 1e9) * NANOCREDIT;
        }

        Line memory line;
        line.spentAfter = uint96(seen.spent + wanted);
        line.maxSpend = line.spentAfter + uint96((seed >> 32) % 5 * NANOCREDIT);
        line.deadline = uint40(clock);
        line.epoch = seen.epoch;
        line.key = keyOf(key);
        if (fault == Fault.WrongSigner) line.key = uint256(keccak256("nobody"));
        if (fault == Fault.Expired) line.deadline -= 1;
        if (fault == Fault.WrongEpoch) line.epoch += 1;
        if (fault == Fault.AboveVoucher && line.spentAfter != 0) line.maxSpend = line.spentAfter - 1;
        if (fault == Fault.BrokenNanocredit) line.spentAfter -= line.spentAfter == 0 ? 0 : 1;
        if (fault == Fault.NothingNew) line.spentAfter = seen.spent;

        if (fault != Fault.WrongSigner && line.maxSpend > mostSigned[accountIds[index]][line.epoch]) {
            mostSigned[accountIds[index]][line.epoch] = line.maxSpend;
        }
        batch.asked += wanted;
        batch.lines = bytes.concat(batch.lines, pack(key, line));
    }

    function pack(ISpendEscrow.AccountKey memory key, Line memory line) private view returns (bytes memory) {
        bytes16 keyHash = bytes16(keccak256("secret"));
        bytes32 digest =
            escrow.voucherDigest(key.token, key.gateway, key.holder, line.epoch, line.maxSpend, line.deadline, keyHash);
        (bytes32 r, bytes32 vs) = signCompact(line.key, digest);
        return abi.encodePacked(key.holder, line.maxSpend, line.spentAfter, line.deadline, line.epoch, keyHash, r, vs);
    }

    // Usage

    /// @notice What the lines' credits pay for in 1e-18 USD, without the markup; rounded up, so that they may burn.
    function costOf(Batch memory batch) internal view returns (uint256 usdWad) {
        return batch.asked * pars[batch.project] / (100 * (1e4 + markupOf(batch.project))) + 1;
    }

    function markupOf(uint256 project) internal pure returns (uint256) {
        return [uint256(500), 0, 65_535][project];
    }

    /// @notice The providers whose usage the terms let settle now.
    function payable_(uint256 project) internal view returns (uint32[] memory providers, uint256 count) {
        providers = providersOf(project);
        for (uint256 i = 0; i < providers.length; ++i) {
            if (vault.hasProvider(address(tokens[project]), providers[i])) providers[count++] = providers[i];
        }
    }

    function claimUsage(Batch memory batch, uint256 claim, uint256 usdWad) internal view {
        (uint32[] memory providers, uint256 count) = payable_(batch.project);
        vm.assume(count != 0);
        uint256 first = count == 1 ? 0 : bound(claim >> 8, 0, usdWad);
        if (first != 0) addUsage(batch, providers[0], first, claim & 1 == 1);
        addUsage(batch, providers[count - 1], usdWad - first, claim & 2 == 2);
    }

    function addUsage(Batch memory batch, uint32 provider, uint256 usdWad, bool older) private view {
        (uint32 version, uint128 price) = oracle.currentPrice(provider);
        if (older && version > 1) {
            try oracle.settlementPrice(provider, version - 1) returns (uint128 usdWad_) {
                (version, price) = (version - 1, usdWad_);
            } catch {}
        }
        uint128 quantity = uint128(usdWad / price + 1);
        batch.usdWad += uint256(price) * quantity;
        batch.usage = bytes.concat(batch.usage, abi.encodePacked(provider, provider, version, quantity));
    }

    function encode(Batch[] memory batches) internal view returns (bytes memory) {
        ISpendEscrow.TokenBatch[] memory sent = new ISpendEscrow.TokenBatch[](batches.length);
        for (uint256 i = 0; i < batches.length; ++i) {
            Batch memory batch = batches[i];
            sent[i] = ISpendEscrow.TokenBatch(address(tokens[batch.project]), batch.requests, batch.lines, batch.usage);
        }
        address gateway = gateways[batches[0].gateway];
        return abi.encodeCall(escrow.settle, (gateway, escrow.nextBatchId(gateway), keccak256("root"), sent));
    }
}
