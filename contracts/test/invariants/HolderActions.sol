// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {World} from "./World.sol";

/// @title What holders do with their credits: send, deposit, leave.
abstract contract HolderActions is World {
    /// @notice Nobody gives credits to the attacker, who else could come out ahead (S3).
    function send(uint256 project, uint256 from, uint256 to, uint256 credits) external on(project % PROJECTS) {
        project %= PROJECTS;
        address sender = members[from % members.length].addr;
        uint256 balance = tokens[project].balanceOf(sender);
        if (balance == 0) return;
        vm.prank(sender);
        tokens[project].transfer(members[to % ATTACKER].addr, bound(credits, 0, balance));
        ++did["send"];
    }

    function deposit(uint256 project, uint256 gateway, uint256 member, bool bySession, uint256 credits)
        external
        on(project % PROJECTS)
    {
        project %= PROJECTS;
        gateway %= 2;
        member %= members.length;
        uint256 nanocredits = tokens[project].balanceOf(members[member].addr) / NANOCREDIT;
        if (nanocredits == 0 || !vault.acceptsDeposits(address(tokens[project]))) return;
        // Only the attacker trusts the attacker's gateway.
        if (gateway == 1) member = ATTACKER;
        nanocredits = tokens[project].balanceOf(members[member].addr) / NANOCREDIT;
        if (nanocredits == 0) return;
        credits = bound(credits, 1, nanocredits) * NANOCREDIT;
        ISpendEscrow.AccountKey memory key = keyOf(project, gateway, member, bySession);
        remember(key);
        vm.startPrank(key.holder);
        tokens[project].approve(address(escrow), credits);
        escrow.deposit(key.token, key.gateway, key.signer, credits);
        vm.stopPrank();
        ++did["deposit"];
    }

    function depositByAuthorization(uint256 project, uint256 member, uint256 credits, bytes32 salt)
        external
        on(project % PROJECTS)
    {
        project %= PROJECTS;
        member %= members.length;
        uint256 nanocredits = tokens[project].balanceOf(members[member].addr) / NANOCREDIT;
        if (nanocredits == 0 || !vault.acceptsDeposits(address(tokens[project]))) return;
        ISpendEscrow.AccountKey memory key = keyOf(project, 0, member, true);
        remember(key);
        authorizeDeposit(key, members[member].key, bound(credits, 1, nanocredits) * NANOCREDIT, salt);
        ++did["depositByAuthorization"];
    }

    function authorizeDeposit(ISpendEscrow.AccountKey memory key, uint256 privateKey, uint256 credits, bytes32 salt)
        private
    {
        bytes32 typeHash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 nonce = escrow.depositNonce(key, credits, salt);
        bytes32 structHash =
            keccak256(abi.encode(typeHash, key.holder, address(escrow), credits, uint256(0), type(uint256).max, nonce));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", separatorOf(key.token), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        escrow.depositWithAuthorization(key, credits, salt, 0, type(uint256).max, abi.encodePacked(r, s, v));
    }

    function separatorOf(address token) private view returns (bytes32 separator) {
        (, bytes memory answer) = token.staticcall(abi.encodeWithSignature("DOMAIN_SEPARATOR()"));
        return abi.decode(answer, (bytes32));
    }

    function startExit(uint256 seed, uint256 credits) external on(NO_PROJECT) {
        if (accountKeys.length == 0) return;
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        vm.prank(key.holder);
        escrow.startExit(key.token, key.gateway, key.signer, bound(credits, 1, 1e18) * NANOCREDIT);
        ++did["startExit"];
    }

    function startClose(uint256 seed) external on(NO_PROJECT) {
        if (accountKeys.length == 0) return;
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        vm.prank(key.holder);
        escrow.startClose(key.token, key.gateway, key.signer);
        ++did["startClose"];
    }

    function cancelExit(uint256 seed) external on(NO_PROJECT) {
        if (accountKeys.length == 0) return;
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        vm.prank(key.holder);
        escrow.cancelExit(key.token, key.gateway, key.signer);
        ++did["cancelExit"];
    }

    function executeExit(uint256 seed) external {
        if (accountKeys.length == 0) return;
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        uint256 unlock = escrow.accountOf(escrow.accountId(key)).exitUnlock;
        if (unlock == 0) return;
        if (unlock > clock) clock = unlock;
        leave(key, indexOf(key.token));
    }

    function leave(ISpendEscrow.AccountKey memory key, uint256 project) private on(project) {
        uint256 balance = tokens[project].balanceOf(key.holder);
        uint256 credits = escrow.executeExit(key);
        if (tokens[project].balanceOf(key.holder) != balance + credits) broken.push("S7: an exit paid another amount");
        ++did["executeExit"];
    }
}
