// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IProviderRegistry, Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {ITestDollar} from "../ITestDollar.sol";
import {OracleTest} from "../OracleTest.sol";

/// @title Every contract as it is deployed, no stand-ins, and one project in use: what each incident happens to.
/// @dev A credit is a dollar (par 1e6) and a unit of the SKU 0.002 USD; with 5 % markup, 1000 units burn 2.1 credits. A day's
///     mint is capped at 1000 credits, a gateway's day of payouts at 100 USD. The saver keeps 100 credits in a wallet; the
///     holder has 50 in escrow, spent by its session key, and 50 in a wallet.
abstract contract IncidentTest is OracleTest {
    uint40 internal constant EXIT_DELAY = 1 hours;
    uint40 internal constant DEADLINE = START + 90 days;
    uint96 internal constant CREDIT = 1e18;
    uint96 internal constant NANOCREDIT = 1e9;
    uint256 internal constant DOLLAR = 1e6;
    uint128 internal constant UNIT_PRICE = 2e15;
    uint128 internal constant MINT_CAP = 1000e18;
    uint128 internal constant PAYOUT_CAP = 100e6;
    bytes32 internal constant ROOT = keccak256("receipts");
    /// @dev What an API key carries beside its voucher, and no chain ever sees.
    bytes32 internal constant SECRET = keccak256("the secret of an API key");

    address internal issuer = actor("issuer");
    address internal feeRecipient = actor("fee recipient");
    address internal acmePayout = actor("acme payout");
    address internal gateway = actor("gateway");
    address internal settler = actor("settler");
    address internal saver = actor("saver");
    address internal thief = actor("thief");
    address internal holder;
    uint256 internal holderKey;
    address internal session;
    uint256 internal sessionKey;

    ITestDollar internal asset;
    IProviderRegistry internal registry;
    IReserveVault internal vault;
    ISpendEscrow internal escrow;
    ICreditToken internal token;
    TypedHashes internal hashes;
    uint32 internal acme;

    function setUp() public virtual override {
        super.setUp();
        (holder, holderKey) = account("holder");
        (session, sessionKey) = account("session key");
        hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        asset = ITestDollar(deploy("TestDollar.sol:TestDollar", ""));
        registry = IProviderRegistry(deploy("ProviderRegistry.sol:ProviderRegistry", abi.encode(authority)));
        vault = IReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, registry, EXIT_DELAY, authority))
        );
        escrow = ISpendEscrow(deploy("SpendEscrow.sol:SpendEscrow", abi.encode(vault, EXIT_DELAY, authority)));
        grantRoles();
        establish(ASSET, 1e18);
        establish(SKU, UNIT_PRICE);

        token = open(issuer);
        vm.prank(gateway);
        escrow.appointSettler(settler);
        mintTo(saver, 100 * CREDIT);
        mintTo(holder, 100 * CREDIT);
        depositFor(session, 50 * CREDIT);
        // A day on, so that no window remembers the set-up.
        vm.warp((vm.getBlockTimestamp() / 1 days + 1) * 1 days);
    }

    function grantRoles() private {
        bytes4[] memory onVault = new bytes4[](4);
        (onVault[0], onVault[1]) = (vault.retire.selector, vault.tightenCaps.selector);
        (onVault[2], onVault[3]) = (vault.removeProvider.selector, vault.setListMember.selector);
        bytes4[] memory onEscrow = new bytes4[](1);
        onEscrow[0] = escrow.pauseSettlement.selector;
        vm.startPrank(admin);
        vault.setEscrow(address(escrow));
        acme = registry.register("acme", acmePayout, Kind.Routed, true);
        authority.setTargetFunctionRole(address(vault), onVault, GUARDIAN_ROLE);
        authority.setTargetFunctionRole(address(escrow), onEscrow, GUARDIAN_ROLE);
        vm.stopPrank();
    }

    // Projects and credits

    function terms() internal view returns (IReserveVault.Terms memory) {
        uint32[] memory providers = new uint32[](1);
        providers[0] = acme;
        return IReserveVault.Terms({
            name: "Project X AI Credits",
            symbol: "PROJECTX_AI_CREDITS",
            par: 1e6,
            markupBps: 500,
            feeRecipient: feeRecipient,
            publicMint: true,
            kind: Kind.Routed,
            providers: providers,
            allowlist: false,
            mintCap: MINT_CAP,
            payoutCap: PAYOUT_CAP
        });
    }

    function open(address by) internal returns (ICreditToken) {
        vm.prank(by);
        return ICreditToken(vault.openProject(terms()));
    }

    /// @notice `to` pays par for `credits` of `token`, with test dollars made for it.
    function mintTo(address to, uint256 credits) internal {
        uint256 assets = vault.previewMint(address(token), credits);
        asset.mint(to, assets);
        vm.startPrank(to);
        asset.approve(address(vault), assets);
        vault.mint(address(token), credits, assets, to);
        vm.stopPrank();
    }

    /// @notice The holder puts credits of its wallet into escrow under `signer`.
    function depositFor(address signer, uint256 credits) internal {
        vm.startPrank(holder);
        token.approve(address(escrow), credits);
        escrow.deposit(address(token), gateway, signer, credits);
        vm.stopPrank();
    }

    function redeem(address from, uint256 credits) internal returns (uint256 assets) {
        vm.prank(from);
        return vault.redeem(address(token), credits, 0, from);
    }

    // Accounts

    function key() internal view returns (ISpendEscrow.AccountKey memory) {
        return ISpendEscrow.AccountKey(address(token), gateway, holder, session);
    }

    function accountOf(ISpendEscrow.AccountKey memory key_) internal view returns (ISpendEscrow.Account memory) {
        return escrow.accountOf(escrow.accountId(key_));
    }

    function balanceOf(ISpendEscrow.AccountKey memory key_) internal view returns (uint256) {
        return accountOf(key_).balance;
    }

    // Settlement

    function keyHash() internal pure returns (bytes16) {
        return bytes16(keccak256(abi.encode(SECRET)));
    }

    /// @notice The session key's line of the holder's account, in epoch 0.
    function line(uint96 maxSpend, uint96 spentAfter) internal view returns (bytes memory) {
        return line(sessionKey, maxSpend, spentAfter, 0);
    }

    function line(uint256 signerKey, uint96 maxSpend, uint96 spentAfter, uint32 epoch)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = escrow.voucherDigest(address(token), gateway, holder, epoch, maxSpend, DEADLINE, keyHash());
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signerKey, digest);
        return abi.encodePacked(holder, maxSpend, spentAfter, DEADLINE, epoch, keyHash(), r, compact(v, s));
    }

    /// @notice EIP-2098.
    function compact(uint8 v, bytes32 s) internal pure returns (bytes32) {
        return bytes32(uint256(s) | (uint256(v - 27) << 255));
    }

    /// @notice One token's lines, and what they pay for: units, if any, of the SKU at its price in force, in one request.
    function batchOf(bytes memory lines, uint128 units)
        internal
        view
        returns (ISpendEscrow.TokenBatch[] memory batches)
    {
        (uint32 version,) = oracle.currentPrice(SKU);
        batches = new ISpendEscrow.TokenBatch[](1);
        bytes memory usage = units == 0 ? bytes("") : abi.encodePacked(acme, SKU, version, units);
        batches[0] = ISpendEscrow.TokenBatch(address(token), 1, lines, usage);
    }

    /// @notice The settler sends them as the gateway's next batch.
    function settle(bytes memory lines, uint128 units) internal {
        ISpendEscrow.TokenBatch[] memory batches = batchOf(lines, units);
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        escrow.settle(gateway, batchId, ROOT, batches);
    }

    function expectSettleReverts(bytes memory lines, uint128 units, bytes memory reason) internal {
        ISpendEscrow.TokenBatch[] memory batches = batchOf(lines, units);
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        vm.expectRevert(reason);
        escrow.settle(gateway, batchId, ROOT, batches);
    }

    // What must hold when an incident is over

    /// @notice Every credit is still backed and every claim covered, to the last unit (S1, S2, S9).
    function assertSound() internal view {
        IReserveVault.Project memory project = vault.projectOf(address(token));
        uint256 backing = vault.previewMint(address(token), token.totalSupply());
        assertGe(project.reserve, backing, "S1: the reserve covers the supply");
        assertGe(asset.balanceOf(address(vault)), vault.totalClaims(), "S2: the vault covers its claims");
        assertGe(token.balanceOf(address(escrow)), escrow.totalBalance(address(token)), "S9: the escrow its accounts");
    }

    /// @notice And whoever did nothing leaves with what it paid.
    function assertTheSaverIsWhole() internal {
        assertSound();
        assertEq(redeem(saver, 100 * CREDIT), 100 * DOLLAR, "what the saver paid");
    }
}
