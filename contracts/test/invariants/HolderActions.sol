// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow} from "../../interfaces/ISpendEscrow.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title How holders put credits in escrow, and leave.
abstract contract HolderActions is Ghosts {
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant RECEIVE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    function deposit(uint256 project, uint256 gateway, uint256 member, bool bySession, uint256 credits)
        external
        on(1 << (project % PROJECTS))
    {
        project %= PROJECTS;
        (member, credits) = depositor(project, gateway % 2, member, credits);
        put(project, gateway % 2, member, bySession, credits);
    }

    function depositByPermit(uint256 project, uint256 member, uint256 credits) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        (member, credits) = depositor(project, 0, member, credits);
        ISpendEscrow.AccountKey memory key = accountFor(project, 0, member, true);
        uint256 nonce = nonceOf(key);
        bytes32 structHash = keccak256(abi.encode(PERMIT, key.holder, address(escrow), credits, nonce, clock));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(members[member].key, typedHash(key.token, structHash));
        vm.prank(key.holder);
        escrow.depositWithPermit(key.token, key.gateway, key.signer, credits, clock, v, r, s);
    }

    /// @notice The next three are relayed by whoever calls this.
    function depositByAuthorization(uint256 project, uint256 member, uint256 credits, bytes32 salt)
        external
        on(1 << (project % PROJECTS))
    {
        project %= PROJECTS;
        (member, credits) = depositor(project, 0, member, credits);
        ISpendEscrow.AccountKey memory key = accountFor(project, 0, member, true);
        salt = keccak256(abi.encode(salt, clock, escrow.totalBalance(key.token)));
        bytes32 nonce = escrow.depositNonce(key, credits, salt);
        bytes memory signature = authorize(key.token, member, address(escrow), credits, nonce);
        escrow.depositWithAuthorization(key, credits, salt, 0, type(uint256).max, signature);
    }

    function topUp(uint256 project, uint256 member, uint256 assets) external on(1 << (project % PROJECTS)) {
        (project, member) = (project % PROJECTS, member % MEMBERS);
        assets = fundPayment(project, member, assets);
        ISpendEscrow.AccountKey memory key = accountFor(project, 0, member, false);
        bytes32 salt = keccak256(abi.encode(clock, vault.totalClaims(), escrow.totalBalance(key.token)));
        bytes memory signature =
            authorize(address(asset), member, address(vault), assets, escrow.topUpNonce(key, 1, salt));
        uint256 before = escrow.accountOf(escrow.accountId(key)).balance + tokens[project].balanceOf(key.holder);
        escrow.topUp(key, assets, 1, salt, 0, type(uint256).max, signature);
        uint256 got = escrow.accountOf(escrow.accountId(key)).balance + tokens[project].balanceOf(key.holder) - before;
        if (got != assets * 1e18 / pars[project]) broke("S3: a top-up gave other credits than were paid");
    }

    function mintByAuthorization(uint256 project, uint256 member, uint256 assets)
        external
        on(1 << (project % PROJECTS))
    {
        (project, member) = (project % PROJECTS, member % MEMBERS);
        assets = fundPayment(project, member, assets);
        (address token, address payer) = (address(tokens[project]), members[member].addr);
        bytes32 salt = keccak256(abi.encode(clock, vault.totalClaims(), tokens[project].balanceOf(payer)));
        bytes memory signature =
            authorize(address(asset), member, address(vault), assets, vault.mintNonce(token, payer, payer, 1, salt));
        vault.mintWithAuthorization(
            token, payer, 1, salt, IReserveVault.AssetAuthorization(payer, assets, 0, type(uint256).max, signature)
        );
    }

    /// @dev Dollars for a mint that the day's cap lets.
    function fundPayment(uint256 project, uint256 member, uint256 assets) private returns (uint256) {
        uint256 most = vault.mintRoom(address(tokens[project])) * pars[project] / 1e18;
        vm.assume(most != 0 && !watches(LOSSES));
        assets = bound(assets, 1, most);
        asset.mint(members[member].addr, assets);
        flows[project].minted += assets;
        if (member == ATTACKER) attackerDue += assets;
        return assets;
    }

    function authorize(address token, uint256 member, address to, uint256 value, bytes32 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash =
            keccak256(abi.encode(RECEIVE, members[member].addr, to, value, uint256(0), type(uint256).max, nonce));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(members[member].key, typedHash(token, structHash));
        return abi.encodePacked(r, s, v);
    }

    function put(uint256 project, uint256 gateway, uint256 member, bool bySession, uint256 credits) internal {
        ISpendEscrow.AccountKey memory key = accountFor(project, gateway, member, bySession);
        vm.startPrank(key.holder);
        tokens[project].approve(address(escrow), credits);
        escrow.deposit(key.token, key.gateway, key.signer, credits);
        vm.stopPrank();
    }

    /// @dev Only the attacker trusts the attacker's gateway.
    function depositor(uint256 project, uint256 gateway, uint256 member, uint256 credits)
        private
        view
        returns (uint256, uint256)
    {
        member = gateway == 1 ? ATTACKER : member % MEMBERS;
        uint256 nanocredits = tokens[project].balanceOf(members[member].addr) / NANOCREDIT;
        vm.assume(nanocredits != 0 && vault.acceptsDeposits(address(tokens[project])));
        return (member, bound(credits, 1, nanocredits) * NANOCREDIT);
    }

    function nonceOf(ISpendEscrow.AccountKey memory key) private view returns (uint256) {
        (, bytes memory answer) = key.token.staticcall(abi.encodeWithSignature("nonces(address)", key.holder));
        return abi.decode(answer, (uint256));
    }

    function typedHash(address token, bytes32 structHash) private view returns (bytes32) {
        (, bytes memory separator) = token.staticcall(abi.encodeWithSignature("DOMAIN_SEPARATOR()"));
        return keccak256(abi.encodePacked(hex"1901", abi.decode(separator, (bytes32)), structHash));
    }

    // Exits

    function startExit(uint256 seed, uint256 credits) external on(bitOf(seed % accountKeys.length)) {
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        vm.prank(key.holder);
        escrow.startExit(key.token, key.gateway, key.signer, bound(credits, 1, 1e14) * NANOCREDIT);
    }

    function startClose(uint256 seed) external on(bitOf(seed % accountKeys.length)) {
        ISpendEscrow.AccountKey memory key = accountKeys[seed % accountKeys.length];
        vm.prank(key.holder);
        escrow.startClose(key.token, key.gateway, key.signer);
    }

    function cancelExit(uint256 seed) external on(bitOf(pending(seed))) {
        uint256 index = pending(seed);
        ISpendEscrow.AccountKey memory key = accountKeys[index];
        vm.prank(key.holder);
        escrow.cancelExit(key.token, key.gateway, key.signer);
    }

    function executeExit(uint256 seed) external {
        uint256 index = pending(seed);
        ISpendEscrow.Account memory seen = escrow.accountOf(accountIds[index]);
        vm.assume(seen.closing || seen.balance != 0);
        if (seen.exitUnlock > clock) clock = seen.exitUnlock;
        depart(index, seen.exitAmount < seen.balance ? seen.exitAmount : seen.balance);
    }

    /// @notice Before its time is up no exit pays, whoever sends it.
    function leaveEarly(uint256 seed) external on(NO_PROJECT) {
        uint256 index = pending(seed);
        vm.assume(escrow.accountOf(accountIds[index]).exitUnlock > clock);
        try escrow.executeExit(accountKeys[index]) {
            broke("S7: an exit before its time outruns settlement");
        } catch {}
    }

    function depart(uint256 index, uint256 expected) private on(bitOf(index)) {
        ISpendEscrow.AccountKey memory key = accountKeys[index];
        uint256 project = indexOf(key.token);
        uint256 balance = tokens[project].balanceOf(key.holder);
        escrow.executeExit(key);
        if (tokens[project].balanceOf(key.holder) != balance + expected) broke("S7: an exit paid another amount");
    }

    function pending(uint256 seed) private view returns (uint256 index) {
        for (uint256 i = 0; i < accountIds.length; ++i) {
            index = (seed % accountIds.length + i) % accountIds.length;
            if (escrow.accountOf(accountIds[index]).exitUnlock != 0) return index;
        }
        vm.assume(false);
    }
}
