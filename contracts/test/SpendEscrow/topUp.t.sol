// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {EscrowTest} from "../EscrowTest.sol";
import {Wallet} from "../mocks/Wallet.sol";

contract TopUpTest is EscrowTest {
    bytes32 private constant SALT = keccak256("salt");
    uint256 private constant VALID_BEFORE = START + 1 hours;
    uint256 private constant DOLLARS = 4e6;

    TypedHashes private _hashes;

    function setUp() public override {
        super.setUp();
        _hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        asset.mint(holder, 10e6);
    }

    function test_AnyoneRelaysIt_FromTheAssetToTheAccount() external {
        vm.expectEmit(address(vault));
        emit IReserveVault.Minted(address(token), holder, address(escrow), 4 * CREDIT, DOLLARS);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.Deposited(escrow.accountId(key()), address(token), gateway, holder, signer, 4 * CREDIT);
        assertEq(relay(key(), DOLLARS, 4 * CREDIT, SALT, signed(key())), 4 * CREDIT, "credits");

        assertEq(balanceOf(key()), 4 * CREDIT, "booked to the signed account");
        assertEq(escrow.totalBalance(address(token)), 4 * CREDIT, "total");
        assertEq(token.balanceOf(address(escrow)), 4 * CREDIT, "held (S9)");
        assertEq(asset.balanceOf(holder), 10e6 - DOLLARS, "paid once");
        assertEq(asset.balanceOf(address(vault)), DOLLARS, "by the holder to the vault");
        assertEq(vault.projectOf(address(token)).reserve, DOLLARS, "reserve (S1)");
        assertEq(vault.totalClaims(), DOLLARS, "claims (S2)");
    }

    function test_WhatItBringsIsSpentAndLeavesLikeAnyDeposit() external {
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signed(key()));
        expectOutcomes(outcome(LineStatus.Settled, CREDIT));
        settle(line(4 * CREDIT, CREDIT));
        vm.prank(holder);
        escrow.startClose(address(token), gateway, signer);
        vm.warp(START + EXIT_DELAY);
        escrow.executeExit(key());
        assertEq(token.balanceOf(holder), 3 * CREDIT, "back in the wallet");
    }

    function testFuzz_TheAccountGetsWholeNanocreditsAndTheWalletTheRest(uint64 par, uint256 assets) external {
        par = uint64(bound(par, 1e3, 1e9));
        token = openAt(par, true, false);
        // What a ledger counts, and a test dollar has.
        assets = bound(assets, par, 1e15);
        uint256 exact = assets * 1e18 / par;
        uint256 limit = uint256(uint64(type(int64).max)) * NANOCREDIT;
        vm.assume(exact <= limit);
        asset.mint(holder, assets);
        uint256 whole = exact - exact % NANOCREDIT;

        bytes memory signature = signedBy(holderKey, key(), assets, whole, SALT);
        assertEq(relay(key(), assets, whole, SALT, signature), whole, "credits");

        assertEq(balanceOf(key()), whole, "the account's");
        assertEq(token.balanceOf(holder), exact - whole, "the wallet's");
        assertEq(token.balanceOf(address(escrow)), whole, "held (S9)");
        assertEq(vault.projectOf(address(token)).reserve, assets, "all of it backs the supply (S1)");
        assertEq(vault.previewMint(address(token), exact), assets, "at par, to the last unit (S3)");
    }

    function test_TheLeastPaymentIsAWholeNanocredit_AtTheHighestPar() external {
        token = openAt(1e9, true, false);
        relay(key(), 1, NANOCREDIT, SALT, signedBy(holderKey, key(), 1, NANOCREDIT, SALT));
        assertEq(balanceOf(key()), NANOCREDIT, "one unit, one nanocredit");
    }

    function test_RevertWhen_NothingIsPaid() external {
        bytes memory signature = signedBy(holderKey, key(), 0, 0, SALT);
        vm.expectRevert(IReserveVault.ZeroCredits.selector);
        relay(key(), 0, 0, SALT, signature);
    }

    function test_ItWorksOnce() external {
        bytes memory signature = signed(key());
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);
        vm.expectPartialRevert(IAuthorizations.AuthorizationAlreadyUsed.selector);
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_ARelayerCannotRedirectIt() external {
        bytes memory signature = signed(key());
        ISpendEscrow.AccountKey memory redirected = key();
        redirected.token = address(other);
        refuse(redirected, DOLLARS, 4 * CREDIT, SALT, signature);

        redirected = key();
        redirected.gateway = stranger;
        refuse(redirected, DOLLARS, 4 * CREDIT, SALT, signature);

        redirected = key();
        redirected.holder = stranger;
        refuse(redirected, DOLLARS, 4 * CREDIT, SALT, signature);

        redirected = key();
        redirected.signer = stranger;
        refuse(redirected, DOLLARS, 4 * CREDIT, SALT, signature);

        refuse(key(), DOLLARS - 1, 0, SALT, signature);
        refuse(key(), DOLLARS, 4 * CREDIT - NANOCREDIT, SALT, signature);
        refuse(key(), DOLLARS, 4 * CREDIT, keccak256("another salt"), signature);
        assertEq(asset.balanceOf(holder), 10e6, "nothing was taken");
    }

    function test_NobodyCanFrontRunItWithTheSameSignature() external {
        bytes memory signature = signed(key());
        bytes32 nonce = escrow.topUpNonce(key(), 4 * CREDIT, SALT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(holderKey, digestOf(key(), DOLLARS, 4 * CREDIT, SALT));
        IReserveVault.AssetAuthorization memory authorization =
            IReserveVault.AssetAuthorization(holder, DOLLARS, 0, VALID_BEFORE, signature);
        vm.startPrank(stranger);

        // From the asset itself, as a plain transfer or in the vault's place.
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.CallerNotPayee.selector, stranger, address(vault)));
        asset.receiveWithAuthorization(holder, address(vault), DOLLARS, 0, VALID_BEFORE, nonce, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder));
        asset.transferWithAuthorization(holder, address(vault), DOLLARS, 0, VALID_BEFORE, nonce, v, r, s);
        // As a mint to a wallet, the escrow's too, or in the escrow's place.
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder));
        vault.mintWithAuthorization(address(token), stranger, 4 * CREDIT, SALT, authorization);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder));
        vault.mintWithAuthorization(address(token), address(escrow), 4 * CREDIT, SALT, authorization);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotEscrow.selector, stranger, address(escrow)));
        vault.mintToEscrow(address(token), nonce, authorization);
        // As a deposit of credits.
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder));
        escrow.depositWithAuthorization(key(), 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        vm.stopPrank();

        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);
        assertEq(balanceOf(key()), 4 * CREDIT, "the holder's own top-up still stands");
    }

    function test_ASignatureIsGoodOnOneChainAlone() external {
        bytes memory signature = signed(key());
        vm.chainId(block.chainid + 1);
        refuse(key(), DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_TheAssetsPayForLessThanWasSignedFor() external {
        bytes memory signature = signedBy(holderKey, key(), DOLLARS, 4 * CREDIT + NANOCREDIT, SALT);
        vm.expectRevert(
            abi.encodeWithSelector(ISpendEscrow.TopUpBelowMinimum.selector, 4 * CREDIT, 4 * CREDIT + NANOCREDIT)
        );
        relay(key(), DOLLARS, 4 * CREDIT + NANOCREDIT, SALT, signature);
    }

    function test_RevertWhen_ItHasExpired() external {
        bytes memory signature = signed(key());
        vm.warp(VALID_BEFORE);
        vm.expectPartialRevert(IAuthorizations.AuthorizationExpired.selector);
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_SignerOrGatewayIsZero() external {
        ISpendEscrow.AccountKey memory none = key();
        none.signer = address(0);
        bytes memory signature = signed(none);
        vm.expectRevert(ISpendEscrow.ZeroSigner.selector);
        relay(none, DOLLARS, 4 * CREDIT, SALT, signature);

        none = key();
        none.gateway = address(0);
        signature = signed(none);
        vm.expectRevert(ISpendEscrow.ZeroGateway.selector);
        relay(none, DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_TheVaultDidNotOpenTheToken() external {
        ISpendEscrow.AccountKey memory unknown = key();
        unknown.token = address(asset);
        bytes memory signature = signed(unknown);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        relay(unknown, DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_WhereMintIsNotPublic_TheIssuerAloneTopsUp() external {
        (address owner, uint256 ownerKey) = account("issuer");
        token = openAt(1e6, false, false);
        bytes memory signature = signed(key());
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintNotPublic.selector, holder, owner));
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);

        asset.mint(owner, DOLLARS);
        ISpendEscrow.AccountKey memory own = key();
        own.holder = owner;
        relay(own, DOLLARS, 4 * CREDIT, SALT, signedBy(ownerKey, own, DOLLARS, 4 * CREDIT, SALT));
        assertEq(balanceOf(own), 4 * CREDIT, "the issuer's own");
    }

    function test_AListDoesNotStopIt_AndStopsTheRestFromMovingOn() external {
        // Par 3: mint and deposit pass the list, so does a rest on its way to the holder.
        token = openAt(3e6, true, true);
        uint256 exact = uint256(DOLLARS) * 1e18 / 3e6;
        uint256 whole = exact - exact % NANOCREDIT;
        relay(key(), DOLLARS, whole, SALT, signedBy(holderKey, key(), DOLLARS, whole, SALT));
        assertEq(token.balanceOf(holder), exact - whole, "rest");

        vm.prank(holder);
        vm.expectRevert(abi.encodeWithSelector(ICreditToken.TransferNotAllowed.selector, holder));
        token.transfer(stranger, 1);
    }

    function test_TheMintWindowBoundsIt() external {
        vm.prank(issuer);
        vault.tightenCaps(address(token), 3 * CREDIT, type(uint128).max);
        bytes memory signature = signed(key());
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintAboveCap.selector, 4 * CREDIT, 3 * CREDIT));
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_RetiredOrDepegged() external {
        bytes memory signature = signed(key());
        oracle.setDepegged(true);
        vm.expectRevert(IReserveVault.AssetDepegged.selector);
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);

        oracle.setDepegged(false);
        vm.prank(issuer);
        vault.retire(address(token));
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProjectRetired.selector, address(token), START));
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signature);
    }

    function test_RevertWhen_TheHolderCannotPay() external {
        bytes memory signature = signedBy(holderKey, key(), 11e6, 11 * CREDIT, SALT);
        vm.expectRevert();
        relay(key(), 11e6, 11 * CREDIT, SALT, signature);
        assertEq(token.totalSupply(), 0, "no credit exists");
    }

    function test_AContractWalletTopsUpWhereTheAssetAsksIt() external {
        (address owner, uint256 ownerKey) = account("the wallet's owner");
        ISpendEscrow.AccountKey memory wallets = key();
        wallets.holder = deploy("Wallet.sol:Wallet", abi.encode(owner));
        asset.mint(wallets.holder, DOLLARS);
        relay(wallets, DOLLARS, 4 * CREDIT, SALT, signedBy(ownerKey, wallets, DOLLARS, 4 * CREDIT, SALT));
        assertEq(balanceOf(wallets), 4 * CREDIT, "booked");

        Wallet(wallets.holder).behave(Wallet.Answer.Refusal);
        refuse(wallets, DOLLARS, 4 * CREDIT, keccak256("again"), "");
    }

    function test_ADelegatedHolderSignsAsBefore() external {
        vm.setEvmVersion("prague");
        vm.etch(holder, abi.encodePacked(hex"ef0100", deploy("Wallet.sol:Wallet", abi.encode(holder))));
        relay(key(), DOLLARS, 4 * CREDIT, SALT, signed(key()));
        assertEq(balanceOf(key()), 4 * CREDIT, "booked");
    }

    function test_NonceIsTheDocumentedHash() external view {
        bytes32 expected = keccak256(
            abi.encode(keccak256("MinteryTopUp"), address(token), gateway, holder, signer, uint256(4 * CREDIT), SALT)
        );
        assertEq(escrow.topUpNonce(key(), 4 * CREDIT, SALT), expected, "nonce");
    }

    function openAt(uint64 par, bool publicMint, bool allowlist) private returns (ICreditToken) {
        uint32[] memory providers = new uint32[](1);
        providers[0] = acme;
        vm.prank(issuer);
        return ICreditToken(
            vault.openProject(
                IReserveVault.Terms({
                    name: "Project Y AI Credits",
                    symbol: "PROJECTY_AI_CREDITS",
                    par: par,
                    markupBps: 0,
                    feeRecipient: issuer,
                    publicMint: publicMint,
                    kind: Kind.Routed,
                    providers: providers,
                    allowlist: allowlist,
                    mintCap: type(uint128).max,
                    payoutCap: type(uint128).max
                })
            )
        );
    }

    function digestOf(ISpendEscrow.AccountKey memory key_, uint256 assets, uint256 minCredits, bytes32 salt)
        private
        view
        returns (bytes32)
    {
        return _hashes.receiveWithAuthorization(
            asset.DOMAIN_SEPARATOR(),
            key_.holder,
            address(vault),
            assets,
            0,
            VALID_BEFORE,
            escrow.topUpNonce(key_, minCredits, salt)
        );
    }

    function signed(ISpendEscrow.AccountKey memory key_) private view returns (bytes memory) {
        return signedBy(holderKey, key_, DOLLARS, 4 * CREDIT, SALT);
    }

    function signedBy(
        uint256 privateKey,
        ISpendEscrow.AccountKey memory key_,
        uint256 assets,
        uint256 minCredits,
        bytes32 salt
    ) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digestOf(key_, assets, minCredits, salt));
        return abi.encodePacked(r, s, v);
    }

    function relay(
        ISpendEscrow.AccountKey memory key_,
        uint256 assets,
        uint256 minCredits,
        bytes32 salt,
        bytes memory signature
    ) private returns (uint256) {
        vm.prank(stranger);
        return escrow.topUp(key_, assets, minCredits, salt, 0, VALID_BEFORE, signature);
    }

    function refuse(
        ISpendEscrow.AccountKey memory key_,
        uint256 assets,
        uint256 minCredits,
        bytes32 salt,
        bytes memory signature
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, key_.holder));
        relay(key_, assets, minCredits, salt, signature);
    }
}
