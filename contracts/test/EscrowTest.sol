// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManager as AccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {ICreditToken as CreditToken} from "../interfaces/ICreditToken.sol";
import {IProviderRegistry as ProviderRegistry, Kind} from "../interfaces/IProviderRegistry.sol";
import {IReserveVault, IReserveVault as ReserveVault} from "../interfaces/IReserveVault.sol";
import {ISpendEscrow, ISpendEscrow as SpendEscrow, LineStatus} from "../interfaces/ISpendEscrow.sol";
import {ITestDollar as TestDollar} from "./ITestDollar.sol";
import {Test} from "./Test.sol";
import {SettableOracle} from "./mocks/SettableOracle.sol";

/// @title The escrow over the real vault with two projects, a gateway with one settler, and a holder with a session key.
/// @dev Par is 1 and one unit of the SKU costs one credit, so a usage of n units lets n credits burn.
abstract contract EscrowTest is Test {
    uint40 internal constant EXIT_DELAY = 1 hours;
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant DEADLINE = START + 30 days;
    uint96 internal constant CREDIT = 1e18;
    uint96 internal constant NANOCREDIT = 1e9;
    uint64 internal constant GUARDIAN_ROLE = 1;
    uint32 internal constant SKU = 7;
    bytes16 internal constant KEY_HASH = bytes16(keccak256("secret"));
    bytes32 internal constant ROOT = keccak256("receipts");
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    address internal admin = actor("admin");
    address internal guardian = actor("guardian");
    address internal issuer = actor("issuer");
    address internal gateway = actor("gateway");
    address internal settler = actor("settler");
    address internal stranger = actor("stranger");
    address internal holder;
    uint256 internal holderKey;
    address internal signer;
    uint256 internal signerKey;

    AccessManager internal authority;
    TestDollar internal asset;
    SettableOracle internal oracle;
    ProviderRegistry internal registry;
    ReserveVault internal vault;
    SpendEscrow internal escrow;
    CreditToken internal token;
    CreditToken internal other;
    uint32 internal acme;

    function setUp() public virtual {
        vm.warp(START);
        (holder, holderKey) = account("holder");
        (signer, signerKey) = account("session key");
        authority = AccessManager(deploy("Authority.sol:Authority", abi.encode(admin)));
        asset = TestDollar(deploy("TestDollar.sol:TestDollar", ""));
        oracle = SettableOracle(deploy("SettableOracle.sol:SettableOracle", ""));
        oracle.setPrice(SKU, 1, 1e18);
        registry = ProviderRegistry(deploy("ProviderRegistry.sol:ProviderRegistry", abi.encode(authority)));
        vault = ReserveVault(
            deploy("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, registry, EXIT_DELAY, authority))
        );
        escrow = SpendEscrow(deploy("SpendEscrow.sol:SpendEscrow", abi.encode(vault, EXIT_DELAY, authority)));

        vm.startPrank(admin);
        vault.setEscrow(address(escrow));
        acme = registry.register("acme", actor("acme payout"), Kind.Routed, true);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = escrow.pauseSettlement.selector;
        authority.setTargetFunctionRole(address(escrow), selectors, GUARDIAN_ROLE);
        authority.grantRole(GUARDIAN_ROLE, guardian, 0);
        vm.stopPrank();

        (token, other) = (open(), open());
        if (address(token) > address(other)) (token, other) = (other, token);
        vm.prank(gateway);
        escrow.appointSettler(settler);
    }

    function open() internal returns (CreditToken) {
        uint32[] memory providers = new uint32[](1);
        providers[0] = acme;
        vm.prank(issuer);
        return CreditToken(
            vault.openProject(
                IReserveVault.Terms({
                    name: "Project X AI Credits",
                    symbol: "PROJECTX_AI_CREDITS",
                    par: 1e6,
                    markupBps: 0,
                    feeRecipient: issuer,
                    publicMint: true,
                    kind: Kind.Routed,
                    providers: providers,
                    allowlist: false,
                    mintCap: type(uint128).max,
                    payoutCap: type(uint128).max
                })
            )
        );
    }

    function mintTo(CreditToken token_, address to, uint256 credits) internal {
        uint256 assets = vault.previewMint(address(token_), credits);
        asset.mint(to, assets);
        vm.startPrank(to);
        asset.approve(address(vault), assets);
        vault.mint(address(token_), credits, assets, to);
        vm.stopPrank();
    }

    /// @notice Mints and deposits for `holder`, whose session key signs.
    function fund(uint256 credits) internal returns (bytes32) {
        return fund(token, holder, signer, credits);
    }

    function fund(CreditToken token_, address holder_, address signer_, uint256 credits) internal returns (bytes32) {
        mintTo(token_, holder_, credits);
        vm.startPrank(holder_);
        token_.approve(address(escrow), credits);
        escrow.deposit(address(token_), gateway, signer_, credits);
        vm.stopPrank();
        return escrow.accountId(ISpendEscrow.AccountKey(address(token_), gateway, holder_, signer_));
    }

    function key() internal view returns (ISpendEscrow.AccountKey memory) {
        return ISpendEscrow.AccountKey(address(token), gateway, holder, signer);
    }

    function accountOf(ISpendEscrow.AccountKey memory key_) internal view returns (ISpendEscrow.Account memory) {
        return escrow.accountOf(escrow.accountId(key_));
    }

    function balanceOf(ISpendEscrow.AccountKey memory key_) internal view returns (uint256) {
        return accountOf(key_).balance;
    }

    // Vouchers and lines

    /// @notice The session key's line in epoch 0, good until DEADLINE.
    function line(uint96 maxSpend, uint96 spentAfter) internal view returns (bytes memory) {
        return line(maxSpend, spentAfter, DEADLINE, 0);
    }

    function line(uint96 maxSpend, uint96 spentAfter, uint40 deadline, uint32 epoch)
        internal
        view
        returns (bytes memory)
    {
        return line(token, holder, signerKey, maxSpend, spentAfter, deadline, epoch);
    }

    function line(
        CreditToken token_,
        address holder_,
        uint256 key_,
        uint96 maxSpend,
        uint96 spentAfter,
        uint40 deadline,
        uint32 epoch
    ) internal view returns (bytes memory) {
        bytes32 digest = escrow.voucherDigest(address(token_), gateway, holder_, epoch, maxSpend, deadline, KEY_HASH);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key_, digest);
        return packed(holder_, maxSpend, spentAfter, deadline, epoch, r, compact(v, s));
    }

    function packed(
        address holder_,
        uint96 maxSpend,
        uint96 spentAfter,
        uint40 deadline,
        uint32 epoch,
        bytes32 r,
        bytes32 vs
    ) internal pure returns (bytes memory) {
        return abi.encodePacked(holder_, maxSpend, spentAfter, deadline, epoch, KEY_HASH, r, vs);
    }

    /// @notice EIP-2098.
    function compact(uint8 v, bytes32 s) internal pure returns (bytes32) {
        return bytes32(uint256(s) | (uint256(v - 27) << 255));
    }

    // Batches

    function batchOf(CreditToken token_, bytes memory lines, uint128 units)
        internal
        view
        returns (ISpendEscrow.TokenBatch memory)
    {
        bytes memory usage = units == 0 ? bytes("") : abi.encodePacked(acme, SKU, uint32(1), units);
        return ISpendEscrow.TokenBatch(address(token_), 0, lines, usage);
    }

    function only(ISpendEscrow.TokenBatch memory batch) internal pure returns (ISpendEscrow.TokenBatch[] memory list) {
        list = new ISpendEscrow.TokenBatch[](1);
        list[0] = batch;
    }

    /// @notice Settles `lines` of `token` as the next batch, with room to burn for a million credits.
    function settle(bytes memory lines) internal {
        settle(only(batchOf(token, lines, 1e6)));
    }

    function settle(ISpendEscrow.TokenBatch[] memory batches) internal {
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.prank(settler);
        escrow.settle(gateway, batchId, ROOT, batches);
    }

    function outcome(LineStatus status, uint96 burned) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(status), burned);
    }

    /// @notice The next call must end in a batch with exactly these outcomes.
    function expectOutcomes(bytes memory outcomes) internal {
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.BatchSettled(gateway, batchId, ROOT, outcomes);
    }

    /// @notice The next batch must skip its only line for this reason and leave the account as it is.
    function expectSkipped(bytes memory line_, LineStatus reason) internal {
        ISpendEscrow.Account memory before = accountOf(key());
        expectOutcomes(outcome(reason, 0));
        settle(line_);
        assertEq(abi.encode(accountOf(key())), abi.encode(before), "a skipped line changes nothing");
    }
}
