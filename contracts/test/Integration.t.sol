// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICreditToken as CreditToken} from "../interfaces/ICreditToken.sol";
import {IProviderRegistry as ProviderRegistry} from "../interfaces/IProviderRegistry.sol";
import {IReserveVault as ReserveVault} from "../interfaces/IReserveVault.sol";
import {ISpendEscrow as SpendEscrow} from "../interfaces/ISpendEscrow.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {Kind} from "../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "../interfaces/ISpendEscrow.sol";
import {ITestDollar as TestDollar} from "./ITestDollar.sol";
import {OracleTest} from "./OracleTest.sol";

/// @notice Every contract as it is deployed, no stand-ins: open, price, mint, send, deposit, settle, withdraw, exit, redeem.
contract IntegrationTest is OracleTest {
    uint40 private constant EXIT_DELAY = 1 hours;
    uint96 private constant CREDIT = 1e18;
    bytes16 private constant KEY_HASH = bytes16(keccak256("secret"));

    address private _issuer = actor("issuer");
    address private _fees = actor("fee recipient");
    address private _acmePayout = actor("acme payout");
    address private _gateway = actor("gateway");
    address private _settler = actor("settler");
    address private _buyer = actor("buyer");
    address private _spender = actor("spender");
    address private _session;
    uint256 private _sessionKey;

    TestDollar private _asset;
    ReserveVault private _vault;
    SpendEscrow private _escrow;
    CreditToken private _token;
    uint32 private _acme;

    function setUp() public override {
        super.setUp();
        (_session, _sessionKey) = account("session key");
        _asset = TestDollar(deploy("TestDollar.sol:TestDollar", ""));
        ProviderRegistry registry =
            ProviderRegistry(deploy("ProviderRegistry.sol:ProviderRegistry", abi.encode(authority)));
        _vault = ReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(_asset, oracle, registry, EXIT_DELAY, authority))
        );
        _escrow = SpendEscrow(deploy("SpendEscrow.sol:SpendEscrow", abi.encode(_vault, EXIT_DELAY, authority)));
        vm.startPrank(admin);
        _vault.setEscrow(address(_escrow));
        _acme = registry.register("acme", _acmePayout, Kind.Routed, true);
        vm.stopPrank();

        // 0.002 USD a unit.
        establish(ASSET, 1e18);
        establish(SKU, 2e15);
        uint32[] memory providers = new uint32[](1);
        providers[0] = _acme;
        vm.prank(_issuer);
        _token = CreditToken(
            _vault.openProject(
                IReserveVault.Terms({
                    name: "Project X AI Credits",
                    symbol: "PROJECTX_AI_CREDITS",
                    par: 1e6,
                    markupBps: 500,
                    feeRecipient: _fees,
                    publicMint: true,
                    kind: Kind.Routed,
                    providers: providers,
                    allowlist: false,
                    mintCap: 1000 * CREDIT,
                    payoutCap: 1000e6
                })
            )
        );
        vm.prank(_gateway);
        _escrow.appointSettler(_settler);
    }

    function test_EveryDollarIsAccountedForFromMintToRedemption() external {
        _mintSendAndDeposit();

        // 1000 units cost 2 USD; with 5 % markup 2.1 credits burn, which frees 2.1 USD.
        _settle(1, 2.1e18, 1, 1000);
        assertEq(_vault.owedTo(_acme), 2e6, "owed to the provider");
        assertEq(_vault.projectOf(address(_token)).margin, 0.1e6, "margin");
        assertEq(_vault.projectOf(address(_token)).reserve, 97.9e6, "reserve");
        assertEq(_token.totalSupply(), 97.9e18, "supply");
        assertEq(_token.balanceOf(address(_escrow)), 27.9e18, "in escrow");
        assertEq(_escrow.totalBalance(address(_token)), 27.9e18, "in accounts (S9)");
        assertEq(_vault.totalClaims(), 100e6, "claims");

        _vault.withdrawOwed(_acme, 2e6);
        vm.prank(_fees);
        _vault.withdrawMargin(address(_token), 0.1e6);
        assertEq(_asset.balanceOf(_acmePayout), 2e6, "provider paid");
        assertEq(_asset.balanceOf(_fees), 0.1e6, "fee recipient paid");

        vm.prank(_spender);
        _escrow.startClose(address(_token), _gateway, _session);
        vm.warp(vm.getBlockTimestamp() + EXIT_DELAY);
        _escrow.executeExit(_key());
        _redeemAll(_spender, 37.9e6);
        _redeemAll(_buyer, 60e6);

        assertEq(_token.totalSupply(), 0, "supply");
        assertEq(_vault.projectOf(address(_token)).reserve, 0, "reserve");
        assertEq(_vault.totalClaims(), 0, "claims");
        assertEq(_asset.balanceOf(address(_vault)), 0, "the vault is empty to the last unit");
    }

    function test_AHoldSettlesAtThePriceItWasQuotedAtForADay() external {
        _mintSendAndDeposit();
        reportNext(SKU, 2.2e15);
        uint256 superseded = vm.getBlockTimestamp();
        _settle(1, 2.1e18, 1, 1000);

        vm.warp(superseded + 24 hours + 1);
        ISpendEscrow.TokenBatch[] memory batches = _batches(4.2e18, 1, 1000);
        vm.prank(_settler);
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.PriceVersionExpired.selector, SKU, 1, uint40(superseded)));
        _escrow.settle(_gateway, 2, bytes32(0), batches);

        // At the new price the same usage burns 2.31 credits.
        _settle(2, 2.1e18 + 2.31e18, 2, 1000);
        assertEq(_token.totalSupply(), 95.59e18, "supply");
    }

    function test_AGatewayCannotBurnMoreThanTheOraclesPrice() external {
        _mintSendAndDeposit();
        // One request may round up by one nanocredit, not by two.
        ISpendEscrow.TokenBatch[] memory batches = _batches(2.1e18 + 2e9, 1, 1000);
        vm.prank(_settler);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.OverBurn.selector, 2.1e18 + 2e9, 2.1e18 + 1e9));
        _escrow.settle(_gateway, 1, bytes32(0), batches);
        _settle(1, 2.1e18 + 1e9, 1, 1000);
    }

    function test_RedeemAndExitSurviveTheOracleAndTheGateway() external {
        _mintSendAndDeposit();
        vm.prank(_spender);
        _escrow.startExit(address(_token), _gateway, _session, 30 * CREDIT);
        vm.etch(address(oracle), hex"fe");
        vm.prank(_gateway);
        _escrow.revokeSettler(_settler);
        vm.warp(vm.getBlockTimestamp() + EXIT_DELAY);
        _escrow.executeExit(_key());
        _redeemAll(_spender, 40e6);
    }

    function _mintSendAndDeposit() private {
        _asset.mint(_buyer, 100e6);
        vm.startPrank(_buyer);
        _asset.approve(address(_vault), 100e6);
        _vault.mint(address(_token), 100 * CREDIT, 100e6, _buyer);
        _token.transfer(_spender, 40 * CREDIT);
        vm.stopPrank();
        vm.startPrank(_spender);
        _token.approve(address(_escrow), 30 * CREDIT);
        _escrow.deposit(address(_token), _gateway, _session, 30 * CREDIT);
        vm.stopPrank();
    }

    function _settle(uint64 batchId, uint96 spentAfter, uint32 version, uint128 units) private {
        uint96 spent = _escrow.accountOf(_escrow.accountId(_key())).spent;
        ISpendEscrow.TokenBatch[] memory batches = _batches(spentAfter, version, units);
        vm.expectEmit(address(_escrow));
        emit ISpendEscrow.BatchSettled(
            _gateway, batchId, bytes32(0), abi.encodePacked(uint8(LineStatus.Settled), spentAfter - spent)
        );
        vm.prank(_settler);
        _escrow.settle(_gateway, batchId, bytes32(0), batches);
    }

    function _batches(uint96 spentAfter, uint32 version, uint128 units)
        private
        view
        returns (ISpendEscrow.TokenBatch[] memory batches)
    {
        uint40 deadline = uint40(vm.getBlockTimestamp() + 1 days);
        uint96 maxSpend = 30 * CREDIT;
        bytes32 digest = _escrow.voucherDigest(address(_token), _gateway, _spender, 0, maxSpend, deadline, KEY_HASH);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_sessionKey, digest);
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        batches = new ISpendEscrow.TokenBatch[](1);
        batches[0] = ISpendEscrow.TokenBatch(
            address(_token),
            1,
            abi.encodePacked(_spender, maxSpend, spentAfter, deadline, uint32(0), KEY_HASH, r, vs),
            abi.encodePacked(_acme, SKU, version, units)
        );
    }

    function _redeemAll(address from, uint256 expected) private {
        uint256 credits = _token.balanceOf(from);
        vm.prank(from);
        _vault.redeem(address(_token), credits, expected, from);
        assertEq(_asset.balanceOf(from), expected, "redeemed");
    }

    function _key() private view returns (ISpendEscrow.AccountKey memory) {
        return ISpendEscrow.AccountKey(address(_token), _gateway, _spender, _session);
    }
}
