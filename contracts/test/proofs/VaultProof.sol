// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ITestDollar} from "../ITestDollar.sol";
import {SettableOracle} from "../mocks/SettableOracle.sol";
import {Proof} from "./Proof.sol";

/// @title The vault as it ships, in any state that it may be in: two projects with any par, supply, reserve and margin.
/// @dev State is written where the compiler laid it out, and read back through the vault before anything is proved of it.
abstract contract VaultProof is Proof {
    /// @notice A project, and what else the vault holds and owes. Amounts of the asset but for `supply`.
    struct State {
        uint64 par;
        uint128 supply;
        uint128 reserve;
        uint128 margin;
        uint128 owed;
        // Of all other projects and providers.
        uint128 otherClaims;
        uint128 balance;
    }

    uint32 internal constant SKU = 7;
    uint32 internal constant PROVIDER = 1;
    uint128 internal constant PRICE = 2e15;
    uint256 internal constant START = 1_800_000_000;
    address internal constant HOLDER = address(0x1001);
    address internal constant ESCROW = address(0x1002);
    address internal constant GATEWAY = address(0x1003);
    address internal constant FEES = address(0x1004);
    address internal constant PAYOUT = address(0x1005);

    // Slots of ReserveVault, CreditToken and TestDollar.
    uint256 private constant SETTLES_UNTIL = 3;
    uint256 private constant PROJECTS = 5;
    uint256 private constant TOTAL_CLAIMS = 7;
    uint256 private constant OWED_TO = 8;
    uint256 private constant BALANCES = 0;
    uint256 private constant TOTAL_SUPPLY = 2;

    ITestDollar internal asset;
    SettableOracle internal oracle;
    IReserveVault internal vault;
    ICreditToken internal token;
    ICreditToken internal other;

    function setUp() public {
        vm.warp(START);
        asset = ITestDollar(create("TestDollar.sol:TestDollar", ""));
        oracle = SettableOracle(create("SettableOracle.sol:SettableOracle", ""));
        // This contract is the registry and the authority too.
        vault = IReserveVault(
            create("ReserveVault.sol:ReserveVault", abi.encode(asset, oracle, this, uint40(1 hours), this))
        );
        vault.setEscrow(ESCROW);
        token = open();
        other = open();
    }

    // What the vault asks of registry and authority

    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    function payoutOf(uint32) external pure returns (address) {
        return PAYOUT;
    }

    // State, slot by slot

    /// @notice Whatever holds before a call: the project is backed (S1), the claims add up (S2), HOLDER has every credit.
    function assume(State calldata s) internal {
        vm.assume(s.par >= 1e3 && s.par <= 1e9);
        vm.assume(s.supply < MOST && s.reserve < MOST && s.margin < MOST && s.owed < MOST && s.balance < MOST);
        vm.assume(s.reserve >= up(s.supply, s.par));
        uint256 project = uint256(keccak256(abi.encode(token, PROJECTS)));
        uint256 first = uint256(vm.load(address(vault), bytes32(project)));
        vm.store(address(vault), bytes32(project), bytes32(first >> 64 << 64 | s.par));
        vm.store(address(vault), bytes32(project + 1), bytes32(uint256(s.reserve) | (uint256(s.margin) << 128)));
        vm.store(address(vault), keccak256(abi.encode(PROVIDER, OWED_TO)), bytes32(uint256(s.owed)));
        vm.store(address(vault), bytes32(TOTAL_CLAIMS), bytes32(uint256(s.reserve) + s.margin + s.owed + s.otherClaims));
        vm.store(address(asset), keccak256(abi.encode(vault, BALANCES)), bytes32(uint256(s.balance)));
        vm.store(address(token), bytes32(TOTAL_SUPPLY), bytes32(uint256(s.supply)));
        vm.store(address(token), keccak256(abi.encode(HOLDER, BALANCES)), bytes32(uint256(s.supply)));
    }

    /// @notice The credits are the escrow's instead, and PROVIDER is in the project's terms.
    function assumeEscrowed(State calldata s) internal {
        assume(s);
        vm.store(address(token), keccak256(abi.encode(HOLDER, BALANCES)), bytes32(0));
        vm.store(address(token), keccak256(abi.encode(ESCROW, BALANCES)), bytes32(uint256(s.supply)));
        bytes32 providers = keccak256(abi.encode(token, SETTLES_UNTIL));
        vm.store(address(vault), keccak256(abi.encode(PROVIDER, providers)), bytes32(uint256(type(uint40).max)));
    }

    /// @notice The other project is this, whatever it is.
    function storeOther(uint256[6] calldata slots, uint128 supply, uint128 held, uint128 escrowed) internal {
        for (uint256 i = 0; i < slots.length; ++i) {
            vm.store(address(vault), otherProject(i), bytes32(slots[i]));
        }
        vm.store(address(other), bytes32(TOTAL_SUPPLY), bytes32(uint256(supply)));
        vm.store(address(other), keccak256(abi.encode(HOLDER, BALANCES)), bytes32(uint256(held)));
        vm.store(address(other), keccak256(abi.encode(ESCROW, BALANCES)), bytes32(uint256(escrowed)));
    }

    function otherSlot(uint256 index) internal view returns (uint256) {
        return uint256(vm.load(address(vault), otherProject(index)));
    }

    /// @notice HOLDER can pay for whatever it mints.
    function assumeRich() internal {
        vm.store(address(asset), keccak256(abi.encode(HOLDER, BALANCES)), bytes32(MOST));
        vm.prank(HOLDER);
        asset.approve(address(vault), type(uint256).max);
    }

    // What is proved of it

    /// @notice S1.
    function backed(State calldata s) internal view returns (bool) {
        return vault.projectOf(address(token)).reserve >= up(token.totalSupply(), s.par);
    }

    /// @notice S2, the books: what is claimed is what reserves, margins and debts add up to.
    function addsUp(State calldata s) internal view returns (bool) {
        IReserveVault.Project memory project = vault.projectOf(address(token));
        uint256 claims = uint256(project.reserve) + project.margin + vault.owedTo(PROVIDER) + s.otherClaims;
        return vault.totalClaims() == claims;
    }

    /// @notice S2, the money: where the vault covered its claims, it still does.
    function covered(State calldata s) internal view returns (bool) {
        uint256 before = uint256(s.reserve) + s.margin + s.owed + s.otherClaims;
        return s.balance < before || asset.balanceOf(address(vault)) >= vault.totalClaims();
    }

    function up(uint256 credits, uint256 par) internal pure returns (uint256) {
        return (credits * par + 1e18 - 1) / 1e18;
    }

    function down(uint256 credits, uint256 par) internal pure returns (uint256) {
        return credits * par / 1e18;
    }

    function otherProject(uint256 index) private view returns (bytes32) {
        return bytes32(uint256(keccak256(abi.encode(other, PROJECTS))) + index);
    }

    function open() private returns (ICreditToken) {
        return ICreditToken(
            vault.openProject(
                IReserveVault.Terms({
                    name: "Credits",
                    symbol: "CREDITS",
                    par: 1e6,
                    markupBps: 500,
                    feeRecipient: FEES,
                    publicMint: true,
                    kind: Kind.Routed,
                    providers: new uint32[](0),
                    allowlist: false,
                    mintCap: type(uint128).max,
                    payoutCap: type(uint128).max
                })
            )
        );
    }

    function create(string memory artifact, bytes memory arguments) private returns (address created) {
        bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        require(created != address(0), artifact);
    }
}
