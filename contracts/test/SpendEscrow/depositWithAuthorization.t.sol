// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {EscrowTest} from "../EscrowTest.sol";
import {Wallet} from "../mocks/Wallet.sol";

contract DepositWithAuthorizationTest is EscrowTest {
    bytes32 private constant SALT = keccak256("salt");
    uint256 private constant VALID_BEFORE = START + 1 hours;
    uint256 private constant GAS = 800_000;

    TypedHashes private _hashes;
    Wallet private _wallet;
    address private _owner;
    uint256 private _ownerKey;

    function setUp() public override {
        super.setUp();
        _hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        mintTo(token, holder, 10 * CREDIT);
        (_owner, _ownerKey) = account("the wallet's owner");
        _wallet = Wallet(deploy("Wallet.sol:Wallet", abi.encode(_owner)));
        mintTo(token, stranger, 10 * CREDIT);
        vm.prank(stranger);
        token.transfer(address(_wallet), 10 * CREDIT);
    }

    function test_AnyoneMayRelayIt() external {
        relay(key(), 4 * CREDIT, SALT, signedBy(holderKey, key()));
        assertEq(balanceOf(key()), 4 * CREDIT, "booked to the signed account");
        assertEq(token.balanceOf(address(escrow)), 4 * CREDIT, "held (S9)");
    }

    function test_ItWorksOnce() external {
        bytes memory signature = signedBy(holderKey, key());
        relay(key(), 4 * CREDIT, SALT, signature);
        vm.expectPartialRevert(IAuthorizations.AuthorizationAlreadyUsed.selector);
        relay(key(), 4 * CREDIT, SALT, signature);
    }

    function test_ARelayerCannotRedirectIt() external {
        bytes memory signature = signedBy(holderKey, key());
        ISpendEscrow.AccountKey memory redirected = key();
        redirected.signer = stranger;
        refuse(redirected, 4 * CREDIT, SALT, signature);

        redirected = key();
        redirected.gateway = stranger;
        refuse(redirected, 4 * CREDIT, SALT, signature);

        redirected = key();
        redirected.holder = stranger;
        refuse(redirected, 4 * CREDIT, SALT, signature);

        redirected = key();
        redirected.token = address(other);
        refuse(redirected, 4 * CREDIT, SALT, signature);

        refuse(key(), 3 * CREDIT, SALT, signature);
        refuse(key(), 4 * CREDIT, keccak256("another salt"), signature);
        assertEq(token.balanceOf(holder), 10 * CREDIT, "nothing moved");
    }

    function test_NobodyCanTakeItFromTheTokenDirectly() external {
        bytes32 nonce = escrow.depositNonce(key(), 4 * CREDIT, SALT);
        bytes memory signature = signedBy(holderKey, key());
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.CallerNotPayee.selector, stranger, address(escrow)));
        token.receiveWithAuthorization(holder, address(escrow), 4 * CREDIT, 0, VALID_BEFORE, nonce, signature);
    }

    function test_RevertWhen_ItHasExpired() external {
        bytes memory signature = signedBy(holderKey, key());
        vm.warp(VALID_BEFORE);
        vm.expectPartialRevert(IAuthorizations.AuthorizationExpired.selector);
        relay(key(), 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_TheSignatureIsNot65BytesOrMalleable() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(holderKey, digestOf(key()));
        refuse(key(), 4 * CREDIT, SALT, "");
        refuse(key(), 4 * CREDIT, SALT, abi.encodePacked(r, s));
        refuse(key(), 4 * CREDIT, SALT, abi.encodePacked(r, s, v, uint8(0)));
        refuse(key(), 4 * CREDIT, SALT, abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), 55 - v));
    }

    function test_RevertWhen_TheProjectIsRetired() external {
        bytes memory signature = signedBy(holderKey, key());
        vm.prank(issuer);
        vault.retire(address(token));
        vm.expectRevert(abi.encodeWithSelector(ISpendEscrow.DepositNotAccepted.selector, address(token)));
        relay(key(), 4 * CREDIT, SALT, signature);
    }

    function test_NonceIsTheDocumentedHash() external view {
        bytes32 expected = keccak256(
            abi.encode(keccak256("MinteryDeposit"), address(token), gateway, holder, signer, uint256(4 * CREDIT), SALT)
        );
        assertEq(escrow.depositNonce(key(), 4 * CREDIT, SALT), expected, "nonce");
    }

    // Contract wallets

    function test_AWalletDepositsByItsOwnCallAndNamesItsSigner() external {
        bytes memory approval = abi.encodeCall(token.approve, (address(escrow), 4 * CREDIT));
        bytes memory call_ = abi.encodeCall(escrow.deposit, (address(token), gateway, signer, 4 * CREDIT));
        vm.startPrank(_owner);
        _wallet.execute(address(token), approval);
        _wallet.execute(address(escrow), call_);
        vm.stopPrank();
        spendAndLeave();
    }

    function test_AWalletAuthorisesByItsCodeAndPaysNoGas() external {
        relay(walletKey(), 4 * CREDIT, SALT, signedBy(_ownerKey, walletKey()));
        assertEq(token.balanceOf(address(_wallet)), 6 * CREDIT, "taken from the wallet");
        spendAndLeave();
    }

    function test_AWalletIsAskedOnce() external {
        relay(walletKey(), 4 * CREDIT, SALT, signedBy(_ownerKey, walletKey()));
        _wallet.behave(Wallet.Answer.Refusal);
        spendAndLeave();
    }

    function test_ARelayerCannotRedirectAWalletsDeposit() external {
        bytes memory signature = signedBy(_ownerKey, walletKey());
        ISpendEscrow.AccountKey memory redirected = walletKey();
        redirected.signer = stranger;
        refuse(redirected, 4 * CREDIT, SALT, signature);

        redirected = walletKey();
        redirected.gateway = stranger;
        refuse(redirected, 4 * CREDIT, SALT, signature);
        refuse(walletKey(), 3 * CREDIT, SALT, signature);

        relay(walletKey(), 4 * CREDIT, SALT, signature);
        vm.expectPartialRevert(IAuthorizations.AuthorizationAlreadyUsed.selector);
        relay(walletKey(), 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_TheWalletDoesNotSayYes() external {
        bytes memory signature = signedBy(_ownerKey, walletKey());
        for (uint256 i = uint256(Wallet.Answer.Refusal); i <= uint256(Wallet.Answer.Revert); ++i) {
            _wallet.behave(Wallet.Answer(i));
            refuse(walletKey(), 4 * CREDIT, SALT, signature);
        }
    }

    function test_AWalletThatReturnsABombHarmsNobody() external {
        bytes memory signature = signedBy(_ownerKey, walletKey());
        _wallet.behave(Wallet.Answer.Bomb);
        vm.prank(stranger);
        escrow.depositWithAuthorization{gas: GAS}(walletKey(), 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        assertEq(balanceOf(walletKey()), 4 * CREDIT, "its first word says yes, the rest is never copied");

        _wallet.behave(Wallet.Answer.RevertBomb);
        refuse(walletKey(), 4 * CREDIT, keccak256("again"), signature);
    }

    function test_AWalletThatBurnsAllGasBurnsItsShareAlone() external {
        bytes memory signature = signedBy(_ownerKey, walletKey());
        _wallet.behave(Wallet.Answer.BurnAllGas);
        uint256 before = gasleft();
        refuse(walletKey(), 4 * CREDIT, SALT, signature);
        assertLt(before - gasleft(), GAS, "the call ends with gas to spare");
    }

    function test_AWalletThatReentersChangesNothing() external {
        bytes memory signature = signedBy(_ownerKey, walletKey());
        _wallet.reenter(
            address(escrow), abi.encodeCall(escrow.startExit, (address(token), gateway, signer, 4 * CREDIT))
        );
        refuse(walletKey(), 4 * CREDIT, SALT, signature);
        assertEq(accountOf(walletKey()).exitUnlock, 0, "no exit was started");

        // Even one that answers yes cannot have a deposit booked inside its own.
        _wallet.reenter(
            address(escrow),
            abi.encodeCall(escrow.depositWithAuthorization, (walletKey(), 4 * CREDIT, SALT, 0, VALID_BEFORE, signature))
        );
        refuse(walletKey(), 4 * CREDIT, SALT, signature);
        assertEq(escrow.totalBalance(address(token)), 0, "nothing was booked");
    }

    function test_AContractIsNoSignerOfVouchers() external {
        // Whatever code a signer's address carries, ecrecover never yields the address of a contract.
        ISpendEscrow.AccountKey memory own = walletKey();
        own.signer = address(_wallet);
        _wallet.behave(Wallet.Answer.AlwaysYes);
        relay(own, 4 * CREDIT, SALT, "");
        expectOutcomes(outcome(LineStatus.Empty, 0));
        settle(line(token, address(_wallet), _ownerKey, 4 * CREDIT, CREDIT, DEADLINE, 0));
        assertEq(balanceOf(own), 4 * CREDIT, "unspent");
    }

    // EIP-7702

    function test_ADelegatedHolderSignsAsBefore() external {
        delegate(holder);
        relay(key(), 4 * CREDIT, SALT, signedBy(holderKey, key()));
        assertEq(balanceOf(key()), 4 * CREDIT, "booked");
    }

    function test_WhatADelegatedHolderRunsIsNeverAsked() external {
        delegate(holder);
        assertEq(uint32(Wallet(holder).isValidSignature(0, "")), uint32(0x1626ba7e), "it would say yes to anybody");
        refuse(key(), 4 * CREDIT, SALT, signedBy(_ownerKey, key()));
        refuse(key(), 4 * CREDIT, SALT, "");
    }

    function test_ADelegatedSignersVouchersSettleAsBefore() external {
        fund(4 * CREDIT);
        delegate(signer);
        expectOutcomes(outcome(LineStatus.Settled, CREDIT));
        settle(line(4 * CREDIT, CREDIT));
    }

    function test_ADelegatedHolderLeavesAsBefore() external {
        fund(4 * CREDIT);
        delegate(holder);
        vm.prank(holder);
        escrow.startExit(address(token), gateway, signer, 4 * CREDIT);
        vm.warp(START + EXIT_DELAY);
        assertEq(escrow.executeExit(key()), 4 * CREDIT, "paid");
    }

    /// @dev Under the rules of a chain that knows delegations.
    function delegate(address eoa) private {
        vm.setEvmVersion("prague");
        Wallet code = Wallet(deploy("Wallet.sol:Wallet", abi.encode(eoa)));
        vm.etch(eoa, abi.encodePacked(hex"ef0100", address(code)));
        assertEq(eoa.code.length, 23, "delegated");
        Wallet(eoa).behave(Wallet.Answer.AlwaysYes);
    }

    function walletKey() private view returns (ISpendEscrow.AccountKey memory) {
        return ISpendEscrow.AccountKey(address(token), gateway, address(_wallet), signer);
    }

    function digestOf(ISpendEscrow.AccountKey memory key_) private view returns (bytes32) {
        return _hashes.receiveWithAuthorization(
            IERC20Permit(address(token)).DOMAIN_SEPARATOR(),
            key_.holder,
            address(escrow),
            4 * CREDIT,
            0,
            VALID_BEFORE,
            escrow.depositNonce(key_, 4 * CREDIT, SALT)
        );
    }

    function signedBy(uint256 privateKey, ISpendEscrow.AccountKey memory key_) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digestOf(key_));
        return abi.encodePacked(r, s, v);
    }

    /// @notice The wallet's four credits are spent by its signer's vouchers, and what is left goes back to the wallet.
    function spendAndLeave() private {
        assertEq(balanceOf(walletKey()), 4 * CREDIT, "booked");
        expectOutcomes(outcome(LineStatus.Settled, CREDIT));
        settle(line(token, address(_wallet), signerKey, 4 * CREDIT, CREDIT, DEADLINE, 0));
        bytes memory call_ = abi.encodeCall(escrow.startExit, (address(token), gateway, signer, 3 * CREDIT));
        vm.prank(_owner);
        _wallet.execute(address(escrow), call_);
        vm.warp(START + EXIT_DELAY);
        uint256 before = token.balanceOf(address(_wallet));
        escrow.executeExit(walletKey());
        assertEq(token.balanceOf(address(_wallet)) - before, 3 * CREDIT, "back in the wallet");
    }

    function relay(ISpendEscrow.AccountKey memory key_, uint256 credits, bytes32 salt, bytes memory signature) private {
        vm.prank(stranger);
        escrow.depositWithAuthorization(key_, credits, salt, 0, VALID_BEFORE, signature);
    }

    /// @dev With the gas of an ordinary transaction: a refusal is a clean one, never a call that ran dry.
    function refuse(ISpendEscrow.AccountKey memory key_, uint256 credits, bytes32 salt, bytes memory signature)
        private
    {
        bytes memory call_ =
            abi.encodeCall(escrow.depositWithAuthorization, (key_, credits, salt, 0, VALID_BEFORE, signature));
        vm.prank(stranger);
        (bool success, bytes memory answer) = address(escrow).call{gas: GAS}(call_);
        assertFalse(success, "refused");
        assertEq(
            answer,
            abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, key_.holder),
            "with its reason"
        );
    }
}
