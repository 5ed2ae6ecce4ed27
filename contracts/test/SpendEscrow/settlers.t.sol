// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract SettlersTest is EscrowTest {
    function test_AGatewayAppointsAndRevokes() external {
        vm.startPrank(gateway);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.SettlerAppointed(gateway, stranger);
        escrow.appointSettler(stranger);
        assertTrue(escrow.isSettler(gateway, stranger), "appointed");

        vm.expectEmit(address(escrow));
        emit ISpendEscrow.SettlerRevoked(gateway, stranger);
        escrow.revokeSettler(stranger);
        assertFalse(escrow.isSettler(gateway, stranger), "revoked");
        assertTrue(escrow.isSettler(gateway, settler), "the other one stays");
    }

    function test_NobodyAppointsForAnother() external {
        vm.prank(stranger);
        escrow.appointSettler(stranger);
        assertFalse(escrow.isSettler(gateway, stranger), "not this gateway's");
    }

    function test_ARevokedSettlerStopsAtOnce() external {
        fund(CREDIT);
        ISpendEscrow.TokenBatch[] memory batches = only(batchOf(token, line(CREDIT, CREDIT), 1));
        vm.prank(gateway);
        escrow.revokeSettler(settler);
        vm.startPrank(settler);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, settler, gateway));
        escrow.settle(gateway, 1, ROOT, batches);
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, settler, gateway));
        escrow.release(key(), CREDIT);
    }
}
