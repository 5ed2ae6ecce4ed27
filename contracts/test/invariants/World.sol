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

/// @title The whole chain side, three projects, four members, an honest gateway and the attacker's, and what they did.
/// @dev Project 0 is routed, 1 official, and 2 belongs to the attacker, as do provider `evil` and the second gateway. Pars
///     are odd numbers, so that every conversion rounds.
abstract contract World is Test {
    struct Member {
        address addr;
        uint256 key;
        address session;
        uint256 sessionKey;
    }

    /// @notice What went in and out of one project, in asset base units of claims.
    struct Flow {
        uint256 minted;
        uint256 redeemed;
        uint256 settled;
    }

    uint40 internal constant EXIT_DELAY = 1 hours;
    uint40 internal constant EPOCH_LENGTH = 60;
    uint256 internal constant NANOCREDIT = 1e9;
    uint256 internal constant PROJECTS = 3;
    uint256 internal constant NO_PROJECT = type(uint256).max;
    // The last member.
    uint256 internal constant ATTACKER = 3;

    IAccessManager internal authority;
    ITestDollar internal asset;
    IPriceOracle internal oracle;
    IProviderRegistry internal registry;
    IReserveVault internal vault;
    ISpendEscrow internal escrow;

    ICreditToken[] internal tokens;
    Member[] internal members;
    uint256[] internal reporterKeys;
    address[2] internal gateways;
    address[2] internal settlers;
    address[3] internal issuers;
    // By provider id, from 1; SKU n is priced for provider n.
    address[] internal payouts;

    uint256 internal clock = 1_800_000_000;

    // What was seen, for the invariants.
    mapping(uint256 project => Flow) internal flows;
    // What the attacker may be worth at most: what it paid, and what others knowingly spent with it.
    uint256 internal attackerDue;
    mapping(bytes32 account => mapping(uint32 epoch => uint256)) internal mostSigned;
    mapping(bytes32 account => mapping(uint32 epoch => uint256)) internal lastSpent;
    mapping(bytes32 account => uint32) internal lastEpochOf;
    ISpendEscrow.AccountKey[] internal accountKeys;
    mapping(bytes32 account => bool) internal known;
    string[] internal broken;
    mapping(string action => uint256) public did;

    /// @dev S4 and S6 compare before and after each call, which no look at the state between calls can. An action that moves
    ///     the clock does so before: a new day's windows are no one's doing.
    modifier on(uint256 project) {
        vm.warp(clock);
        bytes32 before = othersDigest(project);
        _;
        if (othersDigest(project) != before) broken.push("S4: a call on one project changed another");
        observeAccounts();
    }

    constructor() {
        vm.warp(clock);
        for (uint256 i = 0; i < 4; ++i) {
            string memory name = string.concat("member ", vm.toString(i));
            (address addr, uint256 key) = account(name);
            (address session, uint256 sessionKey) = account(string.concat("session of ", name));
            members.push(Member(addr, key, session, sessionKey));
        }
        gateways = [actor("gateway"), members[ATTACKER].addr];
        settlers = [actor("settler"), members[ATTACKER].addr];
        issuers = [actor("issuer"), actor("official issuer"), members[ATTACKER].addr];
        deployAll();
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
            reporterKeys.push(key);
            addresses[i] = addr;
            for (uint256 j = i; j > 0 && addresses[j] < addresses[j - 1]; --j) {
                (addresses[j], addresses[j - 1]) = (addresses[j - 1], addresses[j]);
                (reporterKeys[j], reporterKeys[j - 1]) = (reporterKeys[j - 1], reporterKeys[j]);
            }
        }
    }

    function openProjects() private {
        payouts = [address(0), actor("acme"), actor("bole"), members[ATTACKER].addr, actor("official")];
        registry.register("acme", payouts[1], Kind.Routed, true);
        registry.register("bole", payouts[2], Kind.Routed, true);
        registry.register("evil", payouts[3], Kind.Routed, true);
        registry.register("official", payouts[4], Kind.Official, false);
        openProject(0, 1_234_567, 500, Kind.Routed, 1, 2);
        openProject(1, 1009, 0, Kind.Official, 4, 4);
        openProject(2, 999_999_937, 65_535, Kind.Routed, 1, 3);
    }

    function openProject(uint256 project, uint64 par, uint16 markupBps, Kind kind, uint32 first, uint32 second)
        private
    {
        uint32[] memory providers = new uint32[](2);
        (providers[0], providers[1]) = (first, second);
        IReserveVault.Terms memory terms;
        (terms.name, terms.symbol) = ("Project", "P");
        (terms.par, terms.markupBps, terms.kind, terms.providers) = (par, markupBps, kind, providers);
        terms.feeRecipient = issuers[project];
        terms.publicMint = true;
        terms.mintCap = 1e30;
        terms.payoutCap = 1e30;
        vm.prank(issuers[project]);
        tokens.push(ICreditToken(vault.openProject(terms)));
    }

    function priceSkus() private {
        oracle.addSku("acme/a:token");
        oracle.addSku("bole/b:token");
        oracle.addSku("evil/e:token");
        oracle.addSku("official/o:token");
        // A unit of SKU 2 costs far less than a nanocredit, so that usage can miss a limit by a hair.
        uint128[4] memory first = [uint128(2_000_000_000_000_001), 333_333, 1e18, 1e12 + 1];
        for (uint256 round = 0; round < 2; ++round) {
            for (uint32 sku = 1; sku <= 4; ++sku) {
                nextEpoch();
                reportPrice(sku, first[sku - 1]);
            }
        }
    }

    function nextEpoch() internal {
        clock += EPOCH_LENGTH;
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

    /// @notice An account of a member, spent by itself or by its session key.
    function keyOf(uint256 project, uint256 gateway, uint256 member, bool bySession)
        internal
        view
        returns (ISpendEscrow.AccountKey memory)
    {
        Member storage holder = members[member];
        return ISpendEscrow.AccountKey(
            address(tokens[project]), gateways[gateway], holder.addr, bySession ? holder.session : holder.addr
        );
    }

    function remember(ISpendEscrow.AccountKey memory key) internal {
        bytes32 id = escrow.accountId(key);
        if (known[id]) return;
        known[id] = true;
        accountKeys.push(key);
    }

    function owedToAll() internal view returns (uint256 owed) {
        for (uint32 provider = 1; provider < payouts.length; ++provider) {
            owed += vault.owedTo(provider);
        }
    }

    /// @notice Asset base units: dollars, the par of all its credits, and what it may withdraw as issuer and as provider.
    function attackersWealth() internal view returns (uint256 wealth) {
        address attacker = members[ATTACKER].addr;
        uint256[PROJECTS] memory credits;
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            if (accountKeys[i].holder != attacker) continue;
            credits[indexOf(accountKeys[i].token)] += escrow.accountOf(escrow.accountId(accountKeys[i])).balance;
        }
        for (uint256 i = 0; i < PROJECTS; ++i) {
            wealth += (credits[i] + tokens[i].balanceOf(attacker)) * projectOf(i).par / 1e18;
        }
        wealth += asset.balanceOf(attacker) + vault.owedTo(3) + projectOf(2).margin;
    }

    function indexOf(address token) internal view returns (uint256 project) {
        while (address(tokens[project]) != token) ++project;
    }

    /// @dev All that belongs to the projects other than this one.
    function othersDigest(uint256 project) private view returns (bytes32 digest) {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            if (i == project) continue;
            address token = address(tokens[i]);
            digest = keccak256(
                abi.encode(
                    digest,
                    vault.projectOf(token),
                    vault.mintRoom(token),
                    vault.payoutRoom(token, gateways[0]),
                    vault.payoutRoom(token, gateways[1]),
                    tokens[i].totalSupply(),
                    tokens[i].balanceOf(address(escrow)),
                    escrow.totalBalance(token)
                )
            );
        }
    }

    function observeAccounts() private {
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            bytes32 id = escrow.accountId(accountKeys[i]);
            ISpendEscrow.Account memory seen = escrow.accountOf(id);
            if (seen.epoch < lastEpochOf[id]) broken.push("S6: an epoch came back");
            if (seen.spent < lastSpent[id][seen.epoch]) broken.push("S6: spent fell within an epoch");
            if (seen.spent > mostSigned[id][seen.epoch]) broken.push("S6: spent is above what was signed");
            lastEpochOf[id] = seen.epoch;
            lastSpent[id][seen.epoch] = seen.spent;
        }
    }
}
