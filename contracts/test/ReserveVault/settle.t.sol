// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {SettableOracle} from "../mocks/SettableOracle.sol";
import {VaultTest} from "../VaultTest.sol";

contract SettleTest is VaultTest {
    uint256 private constant FUNDED = 1000 * CREDIT;

    function setUp() public override {
        super.setUp();
        mintTo(token, escrow, FUNDED);
        mintTo(other, escrow, FUNDED);
    }

    function test_RevertWhen_TheCallerIsNotTheEscrow() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotEscrow.selector, stranger, escrow));
        vm.prank(stranger);
        vault.settle(address(token), gateway, 1, 0, "", 0);
    }

    function test_RevertWhen_TheVaultDidNotOpenTheToken() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vm.prank(escrow);
        vault.settle(address(asset), gateway, 1, 0, "", 0);
    }

    function test_SettlesUntilTwoExitDelaysAfterRetirement() external {
        vm.prank(issuer);
        vault.retire(address(token));
        vm.warp(START + 2 * EXIT_DELAY - 1);
        settle(token, CREDIT, usageOf(acme, 1000), 1);

        vm.warp(START + 2 * EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProjectRetired.selector, address(token), START));
        settle(token, CREDIT, usageOf(acme, 1000), 1);
    }

    function test_RevertWhen_TheUsageIsMalformed() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MalformedUsage.selector, 27));
        settle(token, 0, new bytes(27), 0);
    }

    function test_RevertWhen_ProvidersDoNotAscend() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UsageNotAscending.selector, bole, acme));
        settle(token, 0, bytes.concat(usageOf(bole, 1), usageOf(acme, 1)), 0);
    }

    function test_RevertWhen_AProviderIsNotInTheTerms() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), official));
        settle(token, 0, usageOf(official, 1), 0);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderNotInTerms.selector, address(token), 0));
        settle(token, 0, usageOf(0, 1), 0);
    }

    function test_AnInactiveProviderIsPaidForWhatItDid() external {
        vm.startPrank(admin);
        registry.deactivate(acme);
        registry.forbidResale(acme);
        vm.stopPrank();
        vm.etch(address(registry), "");
        settle(token, 2e18, usageOf(acme, 1000), 1);
        assertEq(vault.owedTo(acme), 2e6, "owed");
    }

    function test_RevertWhen_TheOracleHasNoSuchVersion() external {
        vm.expectRevert(abi.encodeWithSelector(SettableOracle.NoSuchPrice.selector, SKU, 2));
        settle(token, 0, abi.encodePacked(acme, SKU, uint32(2), uint128(1)), 0);
    }

    function test_SettlesThroughADepeg() external {
        oracle.setDepegged(true);
        settle(token, 2e18, usageOf(acme, 1000), 1);
        assertEq(vault.owedTo(acme), 2e6, "owed");
    }

    function test_BurnsAsMuchAsTheUsageCostsAndANanocreditPerRequest() external {
        uint256 limit = 2.1e18 + 3 * NANOCREDIT;
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.OverBurn.selector, limit + 1, limit));
        settle(token, limit + 1, usageOf(acme, 1000), 3);
        settle(token, limit, usageOf(acme, 1000), 3);
    }

    function test_RevertWhen_AGatewayTakesMoreThanTheCap() external {
        vm.prank(guardian);
        vault.tightenCaps(address(token), type(uint128).max, 3e6);
        settle(token, 2e18, usageOf(acme, 1000), 0);
        assertEq(vault.payoutRoom(address(token), gateway), 1e6, "room");
        assertEq(vault.payoutRoom(address(token), stranger), 3e6, "another gateway's room");

        vm.expectRevert(abi.encodeWithSelector(IReserveVault.PayoutAboveCap.selector, 3e6 + 1, 3e6));
        settle(token, 1e18 + 1e12, usageOf(acme, 1000), 0);

        vm.prank(escrow);
        vault.settle(address(token), stranger, 1, 2e18, usageOf(acme, 1000), 0);

        vm.warp(START - START % 1 days + 1 days);
        assertEq(vault.payoutRoom(address(token), gateway), 3e6, "room in the next window");
        settle(token, 2e18, usageOf(acme, 1000), 0);
    }

    function test_PaysTheProviderAndKeepsTheMarkup() external {
        // 1000 units at 0.002 USD cost 2 USD; with 5 % markup 2.1 credits burn.
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderCredited(acme, address(token), 1, 2e6, 0);
        vm.expectEmit(address(vault));
        emit IReserveVault.Settled(address(token), gateway, 1, 2.1e18, 2.1e6, 2e6, 0.1e6);
        settle(token, 2.1e18, usageOf(acme, 1000), 1);

        assertEq(vault.owedTo(acme), 2e6, "owed");
        assertEq(vault.projectOf(address(token)).margin, 0.1e6, "margin");
        assertEq(vault.projectOf(address(token)).reserve, 1000e6 - 2.1e6, "reserve");
        assertEq(token.totalSupply(), FUNDED - 2.1e18, "supply");
        assertEq(token.balanceOf(escrow), FUNDED - 2.1e18, "escrow's credits");
        assertEq(vault.totalClaims(), 2000e6, "claims");
    }

    function test_AShortfallIsSharedAndNotOwed() external {
        // Earned before, and out of a shortfall's reach.
        settle(token, 2.1e18, usageOf(acme, 1000), 1);

        // 1.5 USD and 0.5 USD are due, and 1 credit is burned: half of each is covered.
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderCredited(acme, address(token), 1, 0.75e6, 0.75e6);
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderCredited(bole, address(token), 1, 0.25e6, 0.25e6);
        vm.expectEmit(address(vault));
        emit IReserveVault.Settled(address(token), gateway, 1, 1e18, 1e6, 1e6, 0);
        settle(token, 1e18, bytes.concat(usageOf(acme, 750), usageOf(bole, 250)), 1);

        assertEq(vault.owedTo(acme), 2.75e6, "acme");
        assertEq(vault.owedTo(bole), 0.25e6, "bole");
        assertEq(vault.projectOf(address(token)).margin, 0.1e6, "margin");
    }

    function test_AddsUpAProvidersEntriesBeforeRounding() external {
        // A third of an asset base unit each: three of them make one.
        oracle.setPrice(8, 1, 333_333_333_334);
        bytes memory entry = abi.encodePacked(acme, uint32(8), uint32(1), uint128(1));
        settle(token, 1e12, bytes.concat(entry, entry, entry), 0);
        assertEq(vault.owedTo(acme), 1, "owed");
    }

    function test_NothingBurnedCreditsNothing() external {
        vm.expectEmit(address(vault));
        emit IReserveVault.ProviderCredited(acme, address(token), 1, 0, 2e6);
        settle(token, 0, usageOf(acme, 1000), 0);
        assertEq(vault.owedTo(acme), 0, "owed");
        assertEq(vault.projectOf(address(token)).reserve, 1000e6, "reserve");
    }

    function testFuzz_SplitsTheBackingToTheLastUnit(
        uint128 quantityA,
        uint128 quantityB,
        uint128 price,
        uint256 burned,
        uint24 requests
    ) external {
        price = uint128(bound(price, 1, 1e21));
        oracle.setPrice(SKU, 1, price);
        quantityA = uint128(bound(quantityA, 0, 1e21));
        quantityB = uint128(bound(quantityB, 0, 1e21));
        burned = bound(burned, 0, FUNDED);
        uint256 usdWad = uint256(price) * (uint256(quantityA) + quantityB);
        // S5, multiplied out so that nothing is rounded.
        bool over = burned * PAR * 1e4 > usdWad * 1e6 * 10_500 + uint256(requests) * NANOCREDIT * PAR * 1e4;
        bytes memory usage = bytes.concat(usageOf(acme, quantityA), usageOf(bole, quantityB));
        if (over) vm.expectPartialRevert(IReserveVault.OverBurn.selector);
        settle(token, burned, usage, requests);
        if (over) return;

        uint256 backing = burned * PAR / 1e18;
        uint256 paid = vault.owedTo(acme) + vault.owedTo(bole);
        IReserveVault.Project memory project = vault.projectOf(address(token));
        assertLe(paid, backing, "S5: paid above backing");
        assertEq(paid + project.margin, backing, "backing split");
        assertEq(project.reserve + backing, 1000e6, "reserve");
        assertGe(uint256(project.reserve) * 1e18, token.totalSupply() * PAR, "S1");
        assertEq(vault.totalClaims(), 2000e6, "claims");
        assertLe(vault.owedTo(acme), uint256(price) * quantityA / 1e12, "acme above its due");
        assertLe(vault.owedTo(bole), uint256(price) * quantityB / 1e12, "bole above its due");
        assertProviderFirst(backing, uint256(price) * quantityA / 1e12 + uint256(price) * quantityB / 1e12, paid);
        assertEq(vault.projectOf(address(other)).reserve, 1000e6, "other project's reserve");
        assertEq(vault.projectOf(address(other)).margin, 0, "other project's margin");
    }

    /// @dev Margin of a short batch is what two roundings left, less than one base unit a provider.
    function assertProviderFirst(uint256 backing, uint256 due, uint256 paid) private pure {
        if (backing >= due) assertEq(paid, due, "paid less than due");
        else assertLt(backing - paid, 2, "margin before providers");
    }

    function test_GasOfOneEntry() external {
        bytes memory usage = usageOf(acme, 1000);
        vm.prank(escrow);
        vm.startSnapshotGas("vault.settle, one entry");
        vault.settle(address(token), gateway, 1, 2e18, usage, 1);
        assertLt(vm.stopSnapshotGas(), 140_000, "gas");
    }
}
