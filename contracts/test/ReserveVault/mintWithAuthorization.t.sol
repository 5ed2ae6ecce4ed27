// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {TypedHashes} from "../../mocks/TypedHashes.sol";
import {VaultTest} from "../VaultTest.sol";

contract MintWithAuthorizationTest is VaultTest {
    bytes32 private constant SALT = keccak256("salt");
    uint256 private constant VALID_BEFORE = START + 1 hours;
    uint256 private constant DOLLARS = 4e6;

    TypedHashes private _hashes;
    uint256 private _holderKey;

    function setUp() public override {
        super.setUp();
        (, _holderKey) = account("holder");
        _hashes = TypedHashes(deploy("TypedHashes.sol:TypedHashes", ""));
        asset.mint(holder, 10e6);
    }

    function testFuzz_AnyoneRelaysIt_AndWhatIsPaidIsMintedAtPar(uint64 par, uint256 assets) external {
        IReserveVault.Terms memory priced = terms();
        priced.par = uint64(bound(par, 1e3, 1e9));
        token = open(priced);
        uint256 limit = uint256(uint64(type(int64).max)) * NANOCREDIT;
        assets = bound(assets, 1, limit * priced.par / 1e18);
        asset.mint(holder, assets);
        uint256 credits = assets * 1e18 / priced.par;
        IReserveVault.AssetAuthorization memory authorization = authorize(token, stranger, assets, credits, SALT);

        vm.expectEmit(address(vault));
        emit IReserveVault.Minted(address(token), holder, stranger, credits, assets);
        assertEq(relay(token, stranger, credits, SALT, authorization), credits, "credits");

        assertEq(token.balanceOf(stranger), credits, "minted");
        assertEq(asset.balanceOf(holder), 10e6, "taken");
        assertEq(vault.projectOf(address(token)).reserve, assets, "reserve (S1)");
        assertEq(vault.projectOf(address(other)).reserve, 0, "other project's reserve (S4)");
        assertEq(vault.totalClaims(), assets, "claims (S2)");
        assertEq(vault.previewMint(address(token), credits), assets, "what mint would have taken (S3)");
        assertLe(vault.previewRedeem(address(token), credits), assets, "what redeem would pay (S3)");
    }

    function test_ItWorksOnce() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 4 * CREDIT, SALT);
        relay(token, holder, 4 * CREDIT, SALT, authorization);
        vm.expectPartialRevert(IAuthorizations.AuthorizationAlreadyUsed.selector);
        relay(token, holder, 4 * CREDIT, SALT, authorization);
    }

    function test_ARelayerCannotRedirectIt() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 4 * CREDIT, SALT);
        refuse(other, holder, 4 * CREDIT, SALT, authorization);
        refuse(token, stranger, 4 * CREDIT, SALT, authorization);
        refuse(token, holder, 3 * CREDIT, SALT, authorization);
        refuse(token, holder, 4 * CREDIT, keccak256("another salt"), authorization);
        authorization.assets = 5e6;
        refuse(token, holder, 4 * CREDIT, SALT, authorization);
        authorization.assets = DOLLARS;
        authorization.payer = stranger;
        refuse(token, holder, 4 * CREDIT, SALT, authorization);
    }

    function test_RevertWhen_TheSignatureIsNot65Bytes() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 4 * CREDIT, SALT);
        authorization.signature = abi.encodePacked(authorization.signature, uint8(0));
        refuse(token, holder, 4 * CREDIT, SALT, authorization);
        authorization.signature = "";
        refuse(token, holder, 4 * CREDIT, SALT, authorization);
    }

    function test_RevertWhen_TheAssetsPayForLessThanWasSignedFor() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 4 * CREDIT + 1, SALT);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.CreditsBelowMinimum.selector, 4 * CREDIT, 4 * CREDIT + 1));
        relay(token, holder, 4 * CREDIT + 1, SALT, authorization);
    }

    function test_RevertWhen_NothingIsPaid() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, 0, 0, SALT);
        vm.expectRevert(IReserveVault.ZeroCredits.selector);
        relay(token, holder, 0, SALT, authorization);
    }

    function test_RevertWhen_TheReceiverIsZero() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, address(0), DOLLARS, 0, SALT);
        vm.expectRevert(IReserveVault.ZeroReceiver.selector);
        relay(token, address(0), 0, SALT, authorization);
    }

    function test_WhereMintIsNotPublic_ThePayerIsTheIssuer() external {
        (, uint256 issuerKey) = account("issuer");
        IReserveVault.Terms memory closed = terms();
        closed.publicMint = false;
        token = open(closed);
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 0, SALT);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintNotPublic.selector, holder, issuer));
        relay(token, holder, 0, SALT, authorization);
        // Nor is it the relayer that counts.
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintNotPublic.selector, holder, issuer));
        vm.prank(issuer);
        vault.mintWithAuthorization(address(token), holder, 0, SALT, authorization);

        asset.mint(issuer, DOLLARS);
        authorization = authorize(issuer, issuerKey, token, holder, DOLLARS, 0, SALT);
        relay(token, holder, 0, SALT, authorization);
        assertEq(token.balanceOf(holder), 4 * CREDIT, "minted by the issuer for the holder");
    }

    function test_RevertWhen_DepeggedRetiredUnknownOrAboveTheCap() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 0, SALT);
        oracle.setDepegged(true);
        vm.expectRevert(IReserveVault.AssetDepegged.selector);
        relay(token, holder, 0, SALT, authorization);
        oracle.setDepegged(false);

        vm.prank(issuer);
        vault.tightenCaps(address(token), 3e18, 0);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MintAboveCap.selector, 4 * CREDIT, 3e18));
        relay(token, holder, 0, SALT, authorization);

        vm.prank(issuer);
        vault.retire(address(token));
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProjectRetired.selector, address(token), START));
        relay(token, holder, 0, SALT, authorization);

        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vault.mintWithAuthorization(address(asset), holder, 0, SALT, authorization);
    }

    function test_RevertWhen_TheVaultThenHoldsLessThanAllClaims() external {
        mintTo(token, holder, CREDIT);
        loseAssets(1);
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 0, SALT);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.Undercollateralised.selector, 5e6 - 1, 5e6));
        relay(token, holder, 0, SALT, authorization);
    }

    function test_RevertWhen_TheAssetIgnoresTheAuthorization_AlsoWhereADonationWouldCoverIt() external {
        asset.mint(address(vault), DOLLARS);
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 0, SALT);
        bytes4 ignored = bytes4(
            keccak256("receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)")
        );
        vm.mockCall(address(asset), abi.encodePacked(ignored), "");
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.AssetsNotReceived.selector, DOLLARS, 2 * DOLLARS));
        relay(token, holder, 0, SALT, authorization);
    }

    function test_OnlyTheEscrowMintsToItself() external {
        IReserveVault.AssetAuthorization memory authorization = authorize(token, holder, DOLLARS, 0, SALT);
        bytes32 nonce = vault.mintNonce(address(token), holder, holder, 0, SALT);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.NotEscrow.selector, stranger, escrow));
        vm.prank(stranger);
        vault.mintToEscrow(address(token), nonce, authorization);

        vm.prank(escrow);
        assertEq(vault.mintToEscrow(address(token), nonce, authorization), 4 * CREDIT, "credits");
        assertEq(token.balanceOf(escrow), 4 * CREDIT, "to the escrow, whoever paid");
    }

    function test_NonceIsTheDocumentedHash() external view {
        bytes32 expected =
            keccak256(abi.encode(keccak256("MinteryMint"), address(token), holder, stranger, uint256(7), SALT));
        assertEq(vault.mintNonce(address(token), holder, stranger, 7, SALT), expected, "nonce");
    }

    function authorize(ICreditToken token_, address to, uint256 assets, uint256 minCredits, bytes32 salt)
        private
        view
        returns (IReserveVault.AssetAuthorization memory)
    {
        return authorize(holder, _holderKey, token_, to, assets, minCredits, salt);
    }

    function authorize(
        address payer,
        uint256 payerKey,
        ICreditToken token_,
        address to,
        uint256 assets,
        uint256 minCredits,
        bytes32 salt
    ) private view returns (IReserveVault.AssetAuthorization memory) {
        bytes32 nonce = vault.mintNonce(address(token_), payer, to, minCredits, salt);
        bytes32 digest = _hashes.receiveWithAuthorization(
            asset.DOMAIN_SEPARATOR(), payer, address(vault), assets, 0, VALID_BEFORE, nonce
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payerKey, digest);
        return IReserveVault.AssetAuthorization(payer, assets, 0, VALID_BEFORE, abi.encodePacked(r, s, v));
    }

    function relay(
        ICreditToken token_,
        address to,
        uint256 minCredits,
        bytes32 salt,
        IReserveVault.AssetAuthorization memory authorization
    ) private returns (uint256) {
        vm.prank(stranger);
        return vault.mintWithAuthorization(address(token_), to, minCredits, salt, authorization);
    }

    function refuse(
        ICreditToken token_,
        address to,
        uint256 minCredits,
        bytes32 salt,
        IReserveVault.AssetAuthorization memory authorization
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, authorization.payer)
        );
        relay(token_, to, minCredits, salt, authorization);
    }
}
