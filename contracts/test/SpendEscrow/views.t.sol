// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow as SpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {EscrowTest} from "../EscrowTest.sol";

contract ViewsTest is EscrowTest {
    function testFuzz_VoucherDigestIsTheTypedHash(
        address token_,
        address gateway_,
        address holder_,
        uint32 epoch,
        uint96 maxSpend,
        uint40 deadline,
        bytes16 keyHash,
        uint64 chainId
    ) external {
        // A fork has another chain id: the cached separator must not outlive it.
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        TypedHashes hashes = new TypedHashes();
        bytes32 separator = hashes.domainSeparator("Mintery", "1", block.chainid, address(escrow));
        assertEq(
            escrow.voucherDigest(token_, gateway_, holder_, epoch, maxSpend, deadline, keyHash),
            hashes.spendVoucher(separator, token_, gateway_, holder_, epoch, maxSpend, deadline, keyHash),
            "digest"
        );
    }

    function testFuzz_AccountIdIsTheHashOfItsKey(ISpendEscrow.AccountKey calldata key_) external view {
        bytes32 expected = keccak256(abi.encode(key_.token, key_.gateway, key_.holder, key_.signer));
        assertEq(escrow.accountId(key_), expected, "account id");
    }

    function test_BatchesCountFromOne() external view {
        assertEq(uint256(escrow.nextBatchId(gateway)), 1, "first");
    }

    function test_TheExitDelayIsTheVaults() external {
        assertEq(escrow.EXIT_DELAY(), vault.EXIT_DELAY(), "exit delay");
        assertEq(escrow.VAULT(), address(vault), "vault");
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.ExitDelayMismatch.selector, EXIT_DELAY + 1, EXIT_DELAY));
        vm.deployCode("SpendEscrow.sol:SpendEscrow", abi.encode(vault, EXIT_DELAY + 1, authority));
    }
}
