// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Market} from "./Market.sol";

/// @title What the oracle lets through, and what it makes wait: small steps that add up, and a real cut.
contract PriceSimulation is Market {
    function test_CreepingStepsTripTheCumulativeBound() external {
        vm.warp(vm.getBlockTimestamp() + 24 hours);
        emit log("creeping: +9 % every epoch, by a quorum");
        uint256 asked = PRICE;
        uint256 inForce;
        uint256 waited;
        for (uint256 epoch = 1; epoch <= 12; ++epoch) {
            asked = asked * 109 / 100;
            reportNext(SKU, uint128(asked));
            (, inForce) = current();
            waited = oracle.queuedPriceOf(SKU).usdWad;
            emit log(string.concat(
                    padded(vm.toString(epoch), 4),
                    padded(percent(asked), 10),
                    "  in force",
                    padded(percent(inForce), 10),
                    waited == 0 ? "" : string.concat("  queued", padded(percent(waited), 10))
                ));
            assertLe(inForce * 100, uint256(PRICE) * 125, "above 25 % over the day's lowest");
        }
        assertGt(waited, 0, "the creeping price waits, where the guardian sees it");
        assertGt(inForce, PRICE, "small moves pass");
    }

    function test_ACreepWithinTheBoundTakesADayForEachQuarter() external {
        vm.warp(vm.getBlockTimestamp() + 24 hours);
        emit log("creeping: as fast as no queue holds it back");
        uint256 start = vm.getBlockTimestamp();
        uint256 target = uint256(PRICE) * 2;
        (, uint256 inForce) = current();
        while (inForce < target) {
            uint128 next = uint128(inForce * 109 / 100);
            reportNext(SKU, next);
            (, uint256 after_) = current();
            if (after_ == inForce) {
                vm.prank(guardian);
                oracle.vetoPrice(SKU);
                vm.warp(vm.getBlockTimestamp() + 1 hours);
            }
            inForce = after_;
        }
        uint256 took = (vm.getBlockTimestamp() - start) / 1 hours;
        emit log(string.concat("  doubling takes ", vm.toString(took), " h"));
        assertGt(took, 48, "a creep doubles a price in less than two days");
    }

    function test_ARealCutOfFourFifthsGetsThrough() external {
        vm.warp(vm.getBlockTimestamp() + 24 hours);
        uint128 cut = PRICE / 5;
        uint256 start = vm.getBlockTimestamp();
        uint256 inForce = PRICE;
        uint256 epochs;
        while (inForce != cut) {
            reportNext(SKU, cut);
            (, inForce) = current();
            ++epochs;
            assertLe(epochs, 14, "a real cut does not get through");
        }
        uint256 took = vm.getBlockTimestamp() - start;
        emit log(string.concat("a cut by 80 % is in force after ", vm.toString(took / 60), " min"));
        assertGe(took, QUEUE_DELAY, "no one had time to veto");
        assertLe(took, QUEUE_DELAY + 2 * EPOCH_LENGTH, "it waited longer than the queue");
    }

    function current() private view returns (uint32 version, uint256 usdWad) {
        return oracle.currentPrice(SKU);
    }

    function percent(uint256 usdWad) private pure returns (string memory) {
        return string.concat(vm.toString(usdWad * 100 / PRICE), " %");
    }
}
