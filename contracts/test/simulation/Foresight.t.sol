// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {Market} from "./Market.sol";

/// @title Knowing prices ahead gains nothing, because mint and payout share par.
/// @dev Beside it, as a control, the same attacker in a design whose credits are bought and sold at the market's price.
contract ForesightSimulation is Market {
    enum Want {
        Dollars,
        Credits
    }

    struct Outcome {
        uint256 trades;
        uint256 settled;
        uint256 wealth;
        uint256 control;
    }

    function test_KnowingThePricesAheadGainsNothing() external {
        uint256[6] memory foresights = [uint256(0), 1, 3, 6, 12, 24];
        emit log(string.concat(
                padded("foresight", 10),
                padded("trades", 8),
                padded("settled USD", 16),
                padded("end USD", 18),
                padded("market-price design USD", 25)
            ));
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i < foresights.length; ++i) {
            Outcome memory outcome = play(foresights[i]);
            vm.revertToState(state);
            emit log(string.concat(
                    padded(string.concat(vm.toString(foresights[i]), " h"), 10),
                    padded(vm.toString(outcome.trades), 8),
                    padded(dollars(outcome.settled), 16),
                    padded(dollars(outcome.wealth), 18),
                    padded(dollars(outcome.control), 25)
                ));
            assertLe(outcome.wealth, STAKE, "the attacker gained");
            // It lost the rounding of its own trades and nothing else, so it did play.
            assertGe(outcome.wealth + 20 * outcome.trades, STAKE, "the attacker lost more than dust");
            if (foresights[i] == 0) continue;
            assertGt(outcome.settled, STAKE / 2, "the attacker hardly spent");
            // An attacker who cannot win anywhere would prove nothing.
            assertGt(outcome.control, STAKE * 102 / 100, "the attacker does not know how to use what it knows");
        }
    }

    /// @notice Every `foresight` hours it holds credits if it knows the price to be higher by the next time, else dollars.
    function play(uint256 foresight) private returns (Outcome memory outcome) {
        uint128[] memory prices = walk();
        Want held = Want.Dollars;
        outcome.control = STAKE;
        for (uint256 hour = 1; hour <= HOURS; ++hour) {
            tick(prices[hour]);
            bool decides = foresight == 0 || hour % foresight == 0;
            Want wanted = hour == HOURS ? Want.Dollars : decides ? best(prices, hour, foresight) : held;
            if (wanted == held) continue;
            held = wanted;
            ++outcome.trades;
            if (wanted == Want.Credits) {
                buy();
                outcome.control = outcome.control * 1e18 / prices[hour];
            } else {
                outcome.settled += spendAtTheBestPrice();
                outcome.control = outcome.control * prices[hour] / 1e18;
                sell();
            }
        }
        outcome.wealth = asset.balanceOf(attacker);
    }

    /// @dev Without foresight it follows the last move.
    function best(uint128[] memory prices, uint256 hour, uint256 foresight) private pure returns (Want) {
        if (foresight == 0) return prices[hour] > prices[hour - 1] ? Want.Credits : Want.Dollars;
        uint256 then = hour + foresight < HOURS ? hour + foresight : HOURS;
        return prices[then] > prices[hour] ? Want.Credits : Want.Dollars;
    }

    function buy() private {
        uint256 credits = asset.balanceOf(attacker) * 1e18 / PAR / 1e9 * 1e9;
        vm.startPrank(attacker);
        asset.approve(address(vault), type(uint256).max);
        vault.mint(address(token), credits, type(uint256).max, attacker);
        token.approve(address(escrow), credits);
        escrow.deposit(address(token), attacker, attacker, credits);
        vm.stopPrank();
    }

    /// @dev Half goes to its own provider, at whichever version still settles that pays the most.
    function spendAtTheBestPrice() private returns (uint256 settled) {
        bytes32 id = escrow.accountId(key());
        ISpendEscrow.Account memory account_ = escrow.accountOf(id);
        uint96 spentAfter = account_.spent + account_.balance / 2 / 1e9 * 1e9;
        uint256 most;
        (uint32 inForce,) = oracle.currentPrice(SKU);
        uint32 chosen = inForce;
        uint256 state = vm.snapshotState();
        // The one in force and the four before it.
        for (uint32 version = inForce; version > 0 && version + 5 > inForce; --version) {
            try this.settle(version, spentAfter) {
                uint256 got = vault.owedTo(evil) + vault.projectOf(address(token)).margin;
                if (got > most) (most, chosen) = (got, version);
            } catch {}
            vm.revertToState(state);
        }
        this.settle(chosen, spentAfter);
        settled = most;
        vm.startPrank(attacker);
        if (vault.owedTo(evil) != 0) vault.withdrawOwed(evil, 0);
        if (vault.projectOf(address(token)).margin != 0) vault.withdrawMargin(address(token), 0);
        vm.stopPrank();
    }

    /// @notice Settles with twice the usage that the credits pay for, at a version of the attacker's choice.
    function settle(uint32 version, uint96 spentAfter) external {
        ISpendEscrow.Account memory seen = escrow.accountOf(escrow.accountId(key()));
        uint256 cost = uint256(spentAfter - seen.spent) * PAR / 1e6;
        uint128 quantity = uint128(cost * 2 / oracle.settlementPrice(SKU, version) + 1);
        ISpendEscrow.TokenBatch[] memory batches = new ISpendEscrow.TokenBatch[](1);
        (batches[0].token, batches[0].requests) = (address(token), 1);
        batches[0].lines = line(spentAfter, seen.epoch);
        batches[0].usage = abi.encodePacked(evil, SKU, version, quantity);
        uint64 batchId = escrow.nextBatchId(attacker);
        vm.prank(attacker);
        escrow.settle(attacker, batchId, bytes32(0), batches);
    }

    function line(uint96 spentAfter, uint32 epoch) private view returns (bytes memory) {
        uint40 deadline = uint40(vm.getBlockTimestamp());
        uint96 most = type(uint96).max;
        bytes32 digest = escrow.voucherDigest(address(token), attacker, attacker, epoch, most, deadline, bytes16(0));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attackerKey, digest);
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        return abi.encodePacked(attacker, most, spentAfter, deadline, epoch, bytes16(0), r, vs);
    }

    /// @dev The rest leaves by its own gateway's release, at once, and is redeemed.
    function sell() private {
        uint256 balance = escrow.accountOf(escrow.accountId(key())).balance;
        vm.startPrank(attacker);
        escrow.release(key(), balance);
        vault.redeem(address(token), token.balanceOf(attacker), 0, attacker);
        vm.stopPrank();
    }

    function key() private view returns (ISpendEscrow.AccountKey memory) {
        return ISpendEscrow.AccountKey(address(token), attacker, attacker, attacker);
    }
}
