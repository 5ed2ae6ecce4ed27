// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {ICreditToken} from "../interfaces/ICreditToken.sol";
import {IProviderRegistry, Kind} from "../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../interfaces/IReserveVault.sol";
import {ITestDollar} from "./ITestDollar.sol";
import {Test} from "./Test.sol";
import {SettableOracle} from "./mocks/SettableOracle.sol";

/// @title One vault with two open projects, a settable oracle, and an account in the escrow's place.
abstract contract VaultTest is Test {
    uint40 internal constant EXIT_DELAY = 1 hours;
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant CREDIT = 1e18;
    uint256 internal constant NANOCREDIT = 1e9;
    uint64 internal constant PAR = 1e6;
    uint64 internal constant GUARDIAN_ROLE = 1;

    // SKU 7 in version 1 costs 0.002 USD a unit.
    uint32 internal constant SKU = 7;
    uint128 internal constant PRICE = 2e15;

    address internal admin = actor("admin");
    address internal guardian = actor("guardian");
    address internal issuer = actor("issuer");
    address internal feeRecipient = actor("fee recipient");
    address internal holder = actor("holder");
    address internal stranger = actor("stranger");
    address internal escrow = actor("escrow");
    address internal gateway = actor("gateway");
    address internal acmePayout = actor("acme payout");
    address internal bolePayout = actor("bole payout");

    IAccessManager internal authority;
    ITestDollar internal asset;
    SettableOracle internal oracle;
    IProviderRegistry internal registry;
    IReserveVault internal vault;
    ICreditToken internal token;
    ICreditToken internal other;

    uint32 internal acme;
    uint32 internal bole;
    uint32 internal official;

    function setUp() public virtual {
        vm.warp(START);
        authority = IAccessManager(deploy("Authority.sol:Authority", abi.encode(admin)));
        asset = ITestDollar(deploy("TestDollar.sol:TestDollar", ""));
        oracle = SettableOracle(deploy("SettableOracle.sol:SettableOracle", ""));
        registry = IProviderRegistry(deploy("ProviderRegistry.sol:ProviderRegistry", abi.encode(authority)));
        vault = IReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, registry, EXIT_DELAY, authority))
        );
        oracle.setPrice(SKU, 1, PRICE);

        vm.startPrank(admin);
        vault.setEscrow(escrow);
        acme = registry.register("acme", acmePayout, Kind.Routed, true);
        bole = registry.register("bole", bolePayout, Kind.Routed, true);
        official = registry.register("official", actor("official payout"), Kind.Official, false);
        bytes4[] memory selectors = new bytes4[](4);
        selectors[0] = vault.retire.selector;
        selectors[1] = vault.tightenCaps.selector;
        selectors[2] = vault.removeProvider.selector;
        selectors[3] = vault.setListMember.selector;
        authority.setTargetFunctionRole(address(vault), selectors, GUARDIAN_ROLE);
        authority.grantRole(GUARDIAN_ROLE, guardian, 0);
        vm.stopPrank();

        token = open(terms());
        other = open(terms());
    }

    /// @notice A routed project at par 1, 5 % markup, anyone may mint, two providers, caps out of the way.
    function terms() internal view returns (IReserveVault.Terms memory) {
        uint32[] memory providers = new uint32[](2);
        (providers[0], providers[1]) = (acme, bole);
        return IReserveVault.Terms({
            name: "Project X AI Credits",
            symbol: "PROJECTX_AI_CREDITS",
            par: PAR,
            markupBps: 500,
            feeRecipient: feeRecipient,
            publicMint: true,
            kind: Kind.Routed,
            providers: providers,
            allowlist: false,
            mintCap: type(uint128).max,
            payoutCap: type(uint128).max
        });
    }

    function open(IReserveVault.Terms memory terms_) internal returns (ICreditToken) {
        vm.prank(issuer);
        return ICreditToken(vault.openProject(terms_));
    }

    /// @notice Mints `credits` of `token_` to `to`, who pays with test dollars made for it.
    function mintTo(ICreditToken token_, address to, uint256 credits) internal returns (uint256 assets) {
        assets = vault.previewMint(address(token_), credits);
        asset.mint(to, assets);
        vm.startPrank(to);
        asset.approve(address(vault), assets);
        vault.mint(address(token_), credits, assets, to);
        vm.stopPrank();
    }

    function usageOf(uint32 provider, uint128 quantity) internal pure returns (bytes memory) {
        return abi.encodePacked(provider, SKU, uint32(1), quantity);
    }

    /// @notice Settles for `gateway` what the escrow's account holds.
    function settle(ICreditToken token_, uint256 burned, bytes memory usage, uint24 requests) internal {
        vm.prank(escrow);
        vault.settle(address(token_), gateway, 1, burned, usage, requests);
    }

    /// @notice The asset itself loses this much inside the vault.
    function loseAssets(uint256 assets) internal {
        vm.prank(address(vault));
        asset.transfer(address(0xdead), assets);
    }
}
