// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IProviderRegistry, Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {ITestDollar} from "../ITestDollar.sol";
import {OracleTest} from "../OracleTest.sol";

/// @title Every contract for real, a market that moves by the hour, and an attacker with a million who owns an issuer, a
///     provider, a gateway and its settler.
abstract contract Market is OracleTest {
    // forge prints events of this name with -vv.
    event log(string line);

    uint40 internal constant EXIT_DELAY = 1 hours;
    uint256 internal constant HOURS = 5 * 24;
    uint256 internal constant STAKE = 1_000_000e6;
    uint64 internal constant PAR = 1_234_567;

    address internal attacker;
    uint256 internal attackerKey;
    ITestDollar internal asset;
    IProviderRegistry internal registry;
    IReserveVault internal vault;
    ISpendEscrow internal escrow;
    ICreditToken internal token;
    uint32 internal evil;

    function setUp() public virtual override {
        super.setUp();
        (attacker, attackerKey) = account("attacker");
        asset = ITestDollar(deploy("TestDollar.sol:TestDollar", ""));
        registry = IProviderRegistry(deploy("ProviderRegistry.sol:ProviderRegistry", abi.encode(authority)));
        vault = IReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, registry, EXIT_DELAY, authority))
        );
        escrow = ISpendEscrow(deploy("SpendEscrow.sol:SpendEscrow", abi.encode(vault, EXIT_DELAY, authority)));
        vm.startPrank(admin);
        vault.setEscrow(address(escrow));
        evil = registry.register("evil", attacker, Kind.Routed, true);
        vm.stopPrank();
        establish(SKU, PRICE);
        openProject();
        vm.prank(attacker);
        escrow.appointSettler(attacker);
        asset.mint(attacker, STAKE);
    }

    function openProject() private {
        IReserveVault.Terms memory terms;
        (terms.name, terms.symbol, terms.par, terms.markupBps) = ("Evil", "EVIL", PAR, 1234);
        terms.providers = new uint32[](1);
        terms.providers[0] = evil;
        (terms.kind, terms.publicMint, terms.feeRecipient) = (Kind.Routed, true, attacker);
        (terms.mintCap, terms.payoutCap) = (type(uint128).max, type(uint128).max);
        vm.prank(attacker);
        token = ICreditToken(vault.openProject(terms));
    }

    /// @notice The market's price at each full hour: a walk by up to 9 %, the same every time. 1e-18 USD per unit.
    function walk() internal pure returns (uint128[] memory prices) {
        prices = new uint128[](HOURS + 1);
        prices[0] = PRICE;
        for (uint256 i = 1; i <= HOURS; ++i) {
            uint256 step = uint256(keccak256(abi.encode("market", i))) % 181;
            uint256 next = uint256(prices[i - 1]) * (910 + step) / 1000;
            // It turns back where it strayed too far, as a market with cost at its heart does.
            if (next > PRICE * 6 / 5) next = uint256(prices[i - 1]) * 93 / 100;
            if (next < PRICE * 4 / 5) next = uint256(prices[i - 1]) * 107 / 100;
            prices[i] = uint128(next);
        }
    }

    /// @notice The next hour's price, by the quorum; what must wait does, and is seen again when it may come.
    function tick(uint128 usdWad) internal {
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        oracle.report(unanimous(entry(SKU, usdWad), ""));
    }

    /// @notice Dollars with six decimals, for a table.
    function dollars(uint256 assets) internal pure returns (string memory) {
        bytes memory fraction = bytes(vm.toString(1e6 + assets % 1e6));
        fraction[0] = ".";
        return string.concat(vm.toString(assets / 1e6), string(fraction));
    }

    function padded(string memory text, uint256 width) internal pure returns (string memory) {
        while (bytes(text).length < width) text = string.concat(" ", text);
        return text;
    }
}
