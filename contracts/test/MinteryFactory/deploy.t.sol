// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMinteryFactory} from "../../interfaces/IMinteryFactory.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ITestDollar} from "../ITestDollar.sol";
import {VaultTest} from "../VaultTest.sol";

contract DeployTest is VaultTest {
    bytes32 private constant SALT = keccak256("salt");

    IMinteryFactory private factory;

    function setUp() public override {
        super.setUp();
        factory = IMinteryFactory(deploy("MinteryFactory.sol:MinteryFactory", ""));
    }

    function test_DeploysWhereItSaid() external {
        bytes memory code = vm.getCode("TestDollar.sol:TestDollar");
        address expected = factory.addressOf(SALT, keccak256(code));
        assertEq(expected.code.length, 0, "before");
        vm.expectEmit(address(factory));
        emit IMinteryFactory.Deployed(expected, SALT);
        assertEq(factory.deploy(SALT, code), expected, "deployed");
        assertEq(ITestDollar(expected).symbol(), "TUSD", "code");
    }

    function test_TheSameAgainIsWhereItStands() external {
        bytes memory code = vm.getCode("TestDollar.sol:TestDollar");
        address first = factory.deploy(SALT, code);
        vm.prank(stranger);
        assertEq(factory.deploy(SALT, code), first, "same salt");
        assertNotEq(factory.deploy(keccak256("another"), code), first, "another salt");
    }

    function test_DeploysTheVaultWithItsTokenDeployer() external {
        bytes memory code = bytes.concat(
            vm.getCode("ReserveVault.sol:ReserveVault"), abi.encode(asset, oracle, registry, EXIT_DELAY, authority)
        );
        assertEq(IReserveVault(factory.deploy(SALT, code)).EXIT_DELAY(), EXIT_DELAY, "vault");
    }

    function test_RevertWhen_TheConstructorReverts() external {
        bytes memory code = bytes.concat(
            vm.getCode("ReserveVault.sol:ReserveVault"), abi.encode(token, oracle, registry, EXIT_DELAY, authority)
        );
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.WrongAssetDecimals.selector, 18, 6));
        factory.deploy(SALT, code);
    }

    function test_RevertWhen_NoCodeIsLeft() external {
        // STOP: a constructor that returns nothing.
        vm.expectRevert(abi.encodeWithSelector(IMinteryFactory.DeploymentFailed.selector, SALT));
        factory.deploy(SALT, hex"00");
    }
}
