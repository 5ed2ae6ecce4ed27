// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "./Test.sol";

contract TestTest is Test {
    function testFuzz_BoundStaysInside(uint256 value, uint256 least, uint256 most) external pure {
        if (least > most) (least, most) = (most, least);
        uint256 bounded = bound(value, least, most);
        assertGe(bounded, least, "below");
        assertLe(bounded, most, "above");
    }

    function test_AnAssertThatFailsReverts() external {
        vm.expectRevert();
        this.assertOneIsTwo();
    }

    function assertOneIsTwo() external pure {
        assertEq(uint256(1), uint256(2), "one is not two");
    }
}
