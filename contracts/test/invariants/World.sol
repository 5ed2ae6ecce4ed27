// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IPriceOracle} from "../../interfaces/IPriceOracle.sol";
import {IProviderRegistry, Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {ITestDollar} from "../ITestDollar.sol";
import {Test} from "../Test.sol";

/// @title The whole chain side: three projects, four members, an honest gateway and the attacker's.
/// @dev Project 0 is routed, 1 official, and 2 belongs to the attacker, as do provider `evil` and the second gateway. Pars
///     are odd numbers, so that every conversion rounds. Caps are low enough to be reached.
abstract contract World is Test {
    struct Member {
        address addr;
        uint256 key;
        address session;
        uint256 sessionKey;
    }

    uint40 internal constant EXIT_DELAY = 1 hours;
    uint40 internal constant EPOCH_LENGTH = 60;
    uint256 internal constant NANOCREDIT = 1e9;
    uint256 internal constant PROJECTS = 3;
    uint256 internal constant MEMBERS = 4;
    // The last member.
    uint256 internal constant ATTACKER = 3;
    uint32 internal constant PROVIDERS = 4;
    uint64 internal constant GUARDIAN_ROLE = 1;

    IAccessManager internal authority;
    ITestDollar internal asset;
    IPriceOracle internal oracle;
    IProviderRegistry internal registry;
    IReserveVault internal vault;
    ISpendEscrow internal escrow;

    ICreditToken[PROJECTS] internal tokens;
    uint64[PROJECTS] internal pars;
    Member[MEMBERS] internal members;
    uint256[4] internal reporterKeys;
    address[2] internal gateways;
    address[2] internal settlers;
    address[PROJECTS] internal issuers;
    address internal guardian = actor("guardian");

    /// @dev forge forgets a warp between two calls of a run: every action starts by going back to this time.
    uint256 internal clock = 1_800_000_000;

    constructor() {
        vm.warp(clock);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            string memory name = string.concat("member ", vm.toString(i));
            (members[i].addr, members[i].key) = account(name);
            (members[i].session, members[i].sessionKey) = account(string.concat("session of ", name));
        }
        address attacker = members[ATTACKER].addr;
        gateways = [actor("gateway"), attacker];
        settlers = [actor("settler"), attacker];
        issuers = [actor("issuer"), actor("official issuer"), attacker];
        deployAll();
        appointGuardian();
        openProjects();
        priceSkus();
    }

    function deployAll() private {
        authority = IAccessManager(deploy("Authority.sol:Authority", abi.encode(address(this))));
        asset = ITestDollar(deploy("TestDollar.sol:TestDollar", ""));
        registry = IProviderRegistry(deploy("ProviderRegistry.sol:ProviderRegistry", abi.encode(authority)));
        oracle = IPriceOracle(
            deploy(
                "PriceOracle.sol:PriceOracle",
                abi.encode(makeReporters(), uint8(3), EPOCH_LENGTH, EPOCH_LENGTH, authority)
            )
        );
        vault = IReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, registry, EXIT_DELAY, authority))
        );
        escrow = ISpendEscrow(deploy("SpendEscrow.sol:SpendEscrow", abi.encode(vault, EXIT_DELAY, authority)));
        vault.setEscrow(address(escrow));
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(gateways[i]);
            escrow.appointSettler(settlers[i]);
        }
    }

    function makeReporters() private returns (address[] memory addresses) {
        addresses = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            (address addr, uint256 key) = account(string.concat("reporter ", vm.toString(i)));
            (addresses[i], reporterKeys[i]) = (addr, key);
            for (uint256 j = i; j > 0 && addresses[j] < addresses[j - 1]; --j) {
                (addresses[j], addresses[j - 1]) = (addresses[j - 1], addresses[j]);
                (reporterKeys[j], reporterKeys[j - 1]) = (reporterKeys[j - 1], reporterKeys[j]);
            }
        }
    }

    function appointGuardian() private {
        bytes4[] memory selectors = new bytes4[](3);
        selectors[0] = vault.retire.selector;
        selectors[1] = vault.tightenCaps.selector;
        selectors[2] = vault.removeProvider.selector;
        authority.setTargetFunctionRole(address(vault), selectors, GUARDIAN_ROLE);
        selectors = new bytes4[](1);
        selectors[0] = escrow.pauseSettlement.selector;
        authority.setTargetFunctionRole(address(escrow), selectors, GUARDIAN_ROLE);
        selectors = new bytes4[](2);
        selectors[0] = oracle.vetoPrice.selector;
        selectors[1] = oracle.declareDepeg.selector;
        authority.setTargetFunctionRole(address(oracle), selectors, GUARDIAN_ROLE);
        authority.grantRole(GUARDIAN_ROLE, guardian, 0);
    }

    function openProjects() private {
        registry.register("acme", actor("acme"), Kind.Routed, true);
        registry.register("bole", actor("bole"), Kind.Routed, true);
        registry.register("evil", members[ATTACKER].addr, Kind.Routed, true);
        registry.register("official", actor("official"), Kind.Official, false);
        pars = [1_234_567, 1009, 999_999_937];
        for (uint256 i = 0; i < PROJECTS; ++i) {
            tokens[i] = openProject(i);
        }
    }

    /// @notice Opens another project with the terms of one of the three.
    function openProject(uint256 project) internal returns (ICreditToken) {
        IReserveVault.Terms memory terms;
        (terms.name, terms.symbol, terms.par) = ("Project", "P", pars[project]);
        terms.markupBps = [uint16(500), 0, 65_535][project];
        terms.kind = project == 1 ? Kind.Official : Kind.Routed;
        terms.providers = providersOf(project);
        terms.feeRecipient = issuers[project];
        terms.publicMint = true;
        terms.mintCap = 3e22;
        // Less than most accounts hold.
        terms.payoutCap = uint128(pars[project]) * 1500;
        vm.prank(issuers[project]);
        return ICreditToken(vault.openProject(terms));
    }

    function providersOf(uint256 project) internal pure returns (uint32[] memory providers) {
        providers = new uint32[](project == 1 ? 1 : 2);
        providers[0] = [uint32(1), 4, 1][project];
        if (project != 1) providers[1] = project == 0 ? 2 : 3;
    }

    function priceSkus() private {
        oracle.addSku("acme/a:token");
        oracle.addSku("bole/b:token");
        oracle.addSku("evil/e:token");
        oracle.addSku("official/o:token");
        // A unit of SKU 2 costs far less than a nanocredit, so that usage can miss a limit by a hair.
        uint128[4] memory first = [uint128(2_000_000_000_000_001), 333_333, 1e18, 1e12 + 1];
        for (uint256 round = 0; round < 2; ++round) {
            for (uint32 sku = 1; sku <= PROVIDERS; ++sku) {
                advance(EPOCH_LENGTH);
                reportPrice(sku, first[sku - 1]);
            }
        }
    }

    function advance(uint256 duration) internal {
        clock += duration;
        vm.warp(clock);
    }

    /// @notice Three of the four reporters see one price.
    function reportPrice(uint32 sku, uint128 usdWad) internal {
        IPriceOracle.PriceReport[] memory reports = new IPriceOracle.PriceReport[](3);
        for (uint256 i = 0; i < 3; ++i) {
            reports[i].epoch = uint32(clock / EPOCH_LENGTH);
            reports[i].observedAt = uint40(clock);
            reports[i].changed = abi.encodePacked(sku, usdWad);
            bytes32 digest = oracle.reportDigest(reports[i].epoch, reports[i].observedAt, reports[i].changed, "");
            (reports[i].r, reports[i].vs) = signCompact(reporterKeys[i], digest);
        }
        oracle.report(reports);
    }

    /// @notice EIP-2098.
    function signCompact(uint256 key, bytes32 digest) internal pure returns (bytes32 r, bytes32 vs) {
        uint8 v;
        (v, r, vs) = vm.sign(key, digest);
        if (v == 28) vs |= bytes32(uint256(1) << 255);
    }

    function supplyOf(uint256 project) internal view returns (uint256) {
        return tokens[project].totalSupply();
    }

    function projectOf(uint256 project) internal view returns (IReserveVault.Project memory) {
        return vault.projectOf(address(tokens[project]));
    }

    function owedToAll() internal view returns (uint256 owed) {
        for (uint32 provider = 1; provider <= PROVIDERS; ++provider) {
            owed += vault.owedTo(provider);
        }
    }

    function indexOf(address token) internal view returns (uint256 project) {
        while (address(tokens[project]) != token) ++project;
    }
}
