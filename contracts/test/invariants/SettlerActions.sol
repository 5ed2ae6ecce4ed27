// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {World} from "./World.sol";

/// @title What settlers do: batches of good, short and bad lines, with honest, inflated and understated usage.
abstract contract SettlerActions is World {
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
        // Credits that the lines ask for, the good and the bad.
        uint256 asked;
        uint256 usdWad;
        bytes usage;
        uint24 requests;
    }

    /// @notice One batch of a gateway: as many lines as seeds, spending accounts of the chosen project.
    function settle(uint256 project, uint256 gateway, uint256[3] calldata seeds, uint256 claim)
        external
        on(project % PROJECTS)
    {
        Batch memory batch;
        batch.project = project % PROJECTS;
        batch.gateway = gateway % 2;
        for (uint256 i = 0; i < seeds.length; ++i) {
            addLine(batch, seeds[i]);
        }
        if (batch.lines.length == 0) return;
        batch.requests = uint24(claim % 4);
        claimUsage(batch, claim);
        send(batch);
    }

    function release(uint256 seed, uint256 credits) external {
        if (accountKeys.length == 0) return;
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        giveBack(key, indexOf(key.token), credits);
    }

    function giveBack(ISpendEscrow.AccountKey memory key, uint256 project, uint256 credits) private on(project) {
        uint256 balance = escrow.accountOf(escrow.accountId(key)).balance;
        if (balance == 0) return;
        vm.prank(settlers[key.gateway == gateways[0] ? 0 : 1]);
        escrow.release(key, bound(credits, 1, balance / NANOCREDIT) * NANOCREDIT);
        ++did["release"];
    }

    function addLine(Batch memory batch, uint256 seed) private {
        (bool found, ISpendEscrow.AccountKey memory key) = pick(batch, seed);
        if (!found) return;
        ISpendEscrow.Account memory seen = escrow.accountOf(escrow.accountId(key));
        Fault fault = Fault((seed >> 64) % 16 < 8 ? (seed >> 64) % 8 : 0);
        uint256 most = seen.balance / NANOCREDIT;
        if (fault == Fault.AboveBalance) most = 2 * most + 1;
        uint256 wanted = most == 0 ? 0 : bound(seed >> 72, 1, most) * NANOCREDIT;

        Line memory line;
        line.spentAfter = uint96(seen.spent + wanted);
        line.maxSpend = line.spentAfter + uint96((seed >> 32) % 5 * NANOCREDIT);
        line.deadline = uint40(clock);
        line.epoch = seen.epoch;
        line.key = keyFor(key);
        if (fault == Fault.WrongSigner) line.key = uint256(keccak256("nobody"));
        if (fault == Fault.Expired) line.deadline -= 1;
        if (fault == Fault.WrongEpoch) line.epoch += 1;
        if (fault == Fault.AboveVoucher && line.spentAfter != 0) line.maxSpend = line.spentAfter - 1;
        if (fault == Fault.BrokenNanocredit) line.spentAfter -= line.spentAfter == 0 ? 0 : 1;
        if (fault == Fault.NothingNew) line.spentAfter = seen.spent;

        if (fault != Fault.WrongSigner) {
            bytes32 id = escrow.accountId(key);
            if (line.maxSpend > mostSigned[id][line.epoch]) mostSigned[id][line.epoch] = line.maxSpend;
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

    function pick(Batch memory batch, uint256 seed) private view returns (bool, ISpendEscrow.AccountKey memory key) {
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            key = accountKeys[(seed % accountKeys.length + i) % accountKeys.length];
            if (key.token == address(tokens[batch.project]) && key.gateway == gateways[batch.gateway]) {
                return (true, key);
            }
        }
        return (false, key);
    }

    function keyFor(ISpendEscrow.AccountKey memory key) private view returns (uint256) {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i].addr == key.signer) return members[i].key;
            if (members[i].session == key.signer) return members[i].sessionKey;
        }
        revert("no such signer");
    }

    /// @dev The usage costs what the lines ask for; or half a nanocredit less, or half of it (S5 forbids both); or twice
    ///     that, which the backing does not cover.
    function claimUsage(Batch memory batch, uint256 claim) private view {
        uint32[2] memory providers = [[uint32(1), 2], [uint32(4), 4], [uint32(1), 3]][batch.project];
        IReserveVault.Project memory terms = projectOf(batch.project);
        uint256 divisor = 100 * (1e4 + uint256(terms.markupBps));
        // In 1e-18 USD, rounded up, without the markup.
        uint256 usdWad = batch.asked * terms.par / divisor + 1;
        uint256 mode = (claim >> 4) % 8;
        uint256 first = bound(claim >> 8, 0, usdWad);
        if (mode == 0) (usdWad, first) = (usdWad >> 1, first >> 1);
        if (mode == 1) (usdWad, first) = (usdWad << 1, first << 1);
        if (mode == 2) {
            uint256 less = NANOCREDIT * terms.par / (2 * divisor);
            (usdWad, first, batch.requests) = (usdWad > less ? usdWad - less : 0, 0, 0);
        }
        if (first != 0) addUsage(batch, providers[0], first, claim & 1 == 1);
        addUsage(batch, providers[1], usdWad - first, claim & 2 == 2);
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

    function send(Batch memory batch) private {
        address token = address(tokens[batch.project]);
        uint256 supply = supplyOf(batch.project);
        uint256 owed = owedToAll();
        uint256 reserve = projectOf(batch.project).reserve;
        uint256 wealth = attackersWealth();
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](1);
        batches[0] = ISpendEscrow.TokenBatch(token, batch.requests, batch.lines, batch.usage);
        uint64 id = escrow.nextBatchId(gateways[batch.gateway]);

        vm.startPrank(settlers[batch.gateway]);
        try escrow.settle(gateways[batch.gateway], id, keccak256("root"), batches) {
            ++did["settle"];
        } catch (bytes memory reason) {
            vm.stopPrank();
            if (bytes4(reason) == IReserveVault.OverBurn.selector) ++did["overBurn"];
            return;
        }
        try escrow.settle(gateways[batch.gateway], id, keccak256("root"), batches) {
            broken.push("S6: a batch settled twice");
        } catch {}
        vm.stopPrank();

        uint256 burned = supply - supplyOf(batch.project);
        uint256 paid = owedToAll() - owed;
        if (burned != 0) ++did["burn"];
        if (paid != 0) ++did["pay"];
        // Holders may spend on the attacker's project and provider, through a gateway that they trust.
        if (batch.gateway == 0) attackerDue = attackerDue + attackersWealth() - wealth;
        flows[batch.project].settled += reserve - projectOf(batch.project).reserve;
        checkBurn(batch, burned, paid);
    }

    /// @dev S5, multiplied out: nothing here is rounded.
    function checkBurn(Batch memory batch, uint256 burned, uint256 paid) private {
        IReserveVault.Project memory terms = projectOf(batch.project);
        if (paid * 1e18 > burned * terms.par) broken.push("S5: paid above the backing of what was burned");
        uint256 cost = batch.usdWad * 1e6 * (1e4 + uint256(terms.markupBps));
        uint256 rounding = uint256(batch.requests) * NANOCREDIT * terms.par * 1e4;
        if (burned * terms.par * 1e4 > cost + rounding) broken.push("S5: burned above the cost of the usage");
    }
}
