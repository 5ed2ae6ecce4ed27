// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IPriceOracle as PriceOracle} from "../../interfaces/IPriceOracle.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {OracleTest} from "../OracleTest.sol";

contract SetReportersTest is OracleTest {
    function test_ReplacesThem() external {
        address[] memory four = ascending(4);
        vm.prank(admin);
        oracle.setReporters(four, 3);
        assertEq(abi.encode(oracle.reporters()), abi.encode(four), "reporters");
        assertEq(uint256(oracle.quorum()), 3, "quorum");
    }

    function test_ThoseReplacedCountNoMore() external {
        vm.prank(admin);
        oracle.setReporters(ascending(4), 3);
        IPriceOracle.PriceReport[] memory reports = unanimous(entry(SKU, PRICE), "");
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.NotReporter.selector, reporters[0]));
        oracle.report(reports);
    }

    /// @dev N >= 3f+1 with f >= 1; M >= 2f+1 so that liars are outvoted, M <= N-f so that they cannot stall; M odd.
    function testFuzz_TakesOnlySafeQuorums(uint256 count, uint8 quorum) external {
        count = bound(count, 0, 35);
        quorum = uint8(bound(quorum, 0, 40));
        address[] memory list = ascending(count);
        bool safe;
        for (uint256 liars = 1; 3 * liars + 1 <= count; ++liars) {
            bool most = 3 * (liars + 1) + 1 > count;
            if (most) safe = quorum >= 2 * liars + 1 && quorum + liars <= count && quorum % 2 == 1 && count <= 31;
        }
        vm.prank(admin);
        if (!safe) vm.expectRevert(abi.encodeWithSelector(IPriceOracle.InvalidQuorum.selector, count, quorum));
        oracle.setReporters(list, quorum);
    }

    function test_RefusesDisorderAndDoubles() external {
        address[] memory list = ascending(5);
        (list[1], list[2]) = (list[2], list[1]);
        vm.startPrank(admin);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.ReportersNotAscending.selector, list[1], list[2]));
        oracle.setReporters(list, 3);
        list[2] = list[1];
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.ReportersNotAscending.selector, list[1], list[1]));
        oracle.setReporters(list, 3);
        list = ascending(5);
        list[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.ReportersNotAscending.selector, address(0), address(0)));
        oracle.setReporters(list, 3);
    }

    function test_OnlyTheAdmin() external {
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        oracle.setReporters(reporters, 3);
    }

    function test_EpochsHaveALength() external {
        vm.expectRevert(IPriceOracle.ZeroEpochLength.selector);
        vm.deployCode("PriceOracle.sol:PriceOracle", abi.encode(reporters, QUORUM, uint40(0), QUEUE_DELAY, authority));
    }

    function ascending(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = address(uint160(i + 1));
        }
    }
}
