// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {World} from "./World.sol";

/// @title What was seen happen, for the rules that no look at one state can judge.
/// @dev Comparing everything around each call is dear, so each rule's suite turns on what it needs.
abstract contract Ghosts is World {
    /// @notice What went in and out of one project, in asset base units of claims.
    struct Flow {
        uint256 minted;
        uint256 redeemed;
        uint256 settled;
    }

    /// @notice One project's UTC day so far.
    struct Day {
        uint256 supplyAtStart;
        // The highest caps in force at any time of it.
        uint256 mintCap;
        uint256 payoutCap;
        uint256[2] taken;
    }

    uint256 internal constant ISOLATION = 1;
    uint256 internal constant ACCOUNTS = 2;
    uint256 internal constant WEALTH = 4;
    uint256 internal constant LOSSES = 8;
    uint256 internal constant NO_PROJECT = 0;

    uint256 internal immutable WATCHED;

    /// @notice The first rule that a call was seen to break.
    string public violation;

    Flow[PROJECTS] internal flows;
    Day[PROJECTS] internal days_;
    uint256 private _today;
    bytes32[PROJECTS] private _digests;
    // The payout cap before the issuer's last lowering, which settlement still keeps until then.
    uint256[PROJECTS] internal earlierCap;
    uint256[PROJECTS] internal earlierUntil;

    // What the attacker may be worth at most: what it paid, and what others knowingly spent with it.
    uint256 internal attackerDue;

    ISpendEscrow.AccountKey[] internal accountKeys;
    bytes32[] internal accountIds;
    uint256[][2][PROJECTS] internal accountsAt;
    mapping(bytes32 account => bool) private _known;
    mapping(bytes32 account => mapping(uint32 epoch => uint256)) internal mostSigned;
    mapping(bytes32 account => mapping(uint32 epoch => uint256)) private _lastSpent;
    mapping(bytes32 account => uint32) private _lastEpochOf;

    constructor(uint256 watched) {
        WATCHED = watched;
        startDay();
    }

    /// @param touched One bit for each project that the call may change.
    modifier on(uint256 touched) {
        vm.warp(clock);
        if (clock / 1 days != _today) startDay();
        _;
        if (WATCHED & ISOLATION != 0) compareOthers(touched);
        if (WATCHED & ACCOUNTS != 0) observeAccounts(touched);
    }

    function broke(string memory rule) internal {
        if (bytes(violation).length == 0) violation = rule;
    }

    function watches(uint256 what) internal view returns (bool) {
        return WATCHED & what != 0;
    }

    // Days (S8)

    /// @dev Nothing changed a supply since the last call, so this is what it was when the day began.
    function startDay() private {
        _today = clock / 1 days;
        for (uint256 i = 0; i < PROJECTS; ++i) {
            Day storage day = days_[i];
            IReserveVault.Project memory project = projectOf(i);
            (day.supplyAtStart, day.mintCap, day.payoutCap) = (supplyOf(i), project.mintCap, project.payoutCap);
            if (clock < earlierUntil[i] && earlierCap[i] > day.payoutCap) day.payoutCap = earlierCap[i];
            day.taken = [uint256(0), 0];
        }
        rememberAll();
    }

    function seeCaps(uint256 project) internal {
        IReserveVault.Project memory now_ = projectOf(project);
        Day storage day = days_[project];
        if (now_.mintCap > day.mintCap) day.mintCap = now_.mintCap;
        if (now_.payoutCap > day.payoutCap) day.payoutCap = now_.payoutCap;
    }

    // Accounts (S6, S9)

    /// @notice An account of a member, spent by itself or by its session key; remembered from here on.
    function accountFor(uint256 project, uint256 gateway, uint256 member, bool bySession)
        internal
        returns (ISpendEscrow.AccountKey memory key)
    {
        Member storage holder = members[member];
        key = ISpendEscrow.AccountKey(
            address(tokens[project]), gateways[gateway], holder.addr, bySession ? holder.session : holder.addr
        );
        bytes32 id = escrow.accountId(key);
        if (_known[id]) return key;
        _known[id] = true;
        accountsAt[project][gateway].push(accountKeys.length);
        accountKeys.push(key);
        accountIds.push(id);
    }

    /// @notice The bit of an account's project, for `on`.
    function bitOf(uint256 index) internal view returns (uint256) {
        return 1 << indexOf(accountKeys[index].token);
    }

    function keyOf(ISpendEscrow.AccountKey memory key) internal view returns (uint256) {
        for (uint256 i = 0; i < MEMBERS; ++i) {
            if (members[i].addr == key.holder) {
                return key.signer == key.holder ? members[i].key : members[i].sessionKey;
            }
        }
        revert("no such holder");
    }

    function observeAccounts(uint256 touched) private {
        for (uint256 i = 0; i < accountIds.length; ++i) {
            if (touched & bitOf(i) == 0) continue;
            bytes32 id = accountIds[i];
            ISpendEscrow.Account memory seen = escrow.accountOf(id);
            if (seen.epoch < _lastEpochOf[id]) broke("S6: an epoch came back");
            if (seen.spent < _lastSpent[id][seen.epoch]) broke("S6: spent fell within an epoch");
            if (seen.spent > mostSigned[id][seen.epoch]) broke("S6: spent is above what was signed");
            _lastEpochOf[id] = seen.epoch;
            _lastSpent[id][seen.epoch] = seen.spent;
        }
    }

    // Isolation (S4)

    function rememberAll() internal {
        for (uint256 i = 0; watches(ISOLATION) && i < PROJECTS; ++i) {
            _digests[i] = digestOf(i);
        }
    }

    /// @dev Projects that the call has no business with are as the last call left them.
    function compareOthers(uint256 touched) private {
        for (uint256 i = 0; i < PROJECTS; ++i) {
            bytes32 digest = digestOf(i);
            if (touched >> i & 1 == 0 && digest != _digests[i]) broke("S4: a call on one project changed another");
            _digests[i] = digest;
        }
    }

    /// @dev All that belongs to a project.
    function digestOf(uint256 project) private view returns (bytes32 digest) {
        address token = address(tokens[project]);
        digest = keccak256(
            abi.encode(
                vault.projectOf(token),
                vault.mintRoom(token),
                [vault.payoutRoom(token, gateways[0]), vault.payoutRoom(token, gateways[1])],
                [tokens[project].totalSupply(), tokens[project].balanceOf(address(escrow)), escrow.totalBalance(token)]
            )
        );
        uint32[] memory providers = providersOf(project);
        for (uint256 i = 0; i < providers.length; ++i) {
            digest = keccak256(abi.encode(digest, vault.hasProvider(token, providers[i])));
        }
        for (uint256 gateway = 0; gateway < 2; ++gateway) {
            uint256[] storage indexes = accountsAt[project][gateway];
            for (uint256 i = 0; i < indexes.length; ++i) {
                digest = keccak256(abi.encode(digest, escrow.accountOf(accountIds[indexes[i]])));
            }
        }
    }

    // Wealth (S3)

    /// @notice Asset base units: dollars, the par of all its credits, and what it may withdraw as issuer and as provider.
    function attackersWealth() internal view returns (uint256 wealth) {
        address attacker = members[ATTACKER].addr;
        uint256[PROJECTS] memory credits;
        for (uint256 i = 0; i < accountKeys.length; ++i) {
            if (accountKeys[i].holder != attacker) continue;
            credits[indexOf(accountKeys[i].token)] += escrow.accountOf(accountIds[i]).balance;
        }
        for (uint256 i = 0; i < PROJECTS; ++i) {
            wealth += (credits[i] + tokens[i].balanceOf(attacker)) * pars[i] / 1e18;
        }
        wealth += asset.balanceOf(attacker) + vault.owedTo(3) + projectOf(2).margin;
    }
}
