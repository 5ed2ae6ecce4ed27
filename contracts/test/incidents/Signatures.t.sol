// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IAuthorizations} from "../../interfaces/IAuthorizations.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IProviderRegistry} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {ISpendEscrow, LineStatus} from "../../interfaces/ISpendEscrow.sol";
import {Forwarder} from "../mocks/Forwarder.sol";
import {IncidentTest} from "./IncidentTest.sol";

/// @title A signature, or the name of whoever signed, used for what nobody signed.
contract SignatureIncidentsTest is IncidentTest {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 private constant SALT = keccak256("salt");
    uint256 private constant VALID_BEFORE = DEADLINE;

    Forwarder private _forwarder;

    /// @dev A forwarder names whom it likes as the sender. Nothing here reads a sender but the chain's own.
    function test_AForwarderBypassesNoAuthorisation() external {
        _forwarder = Forwarder(deploy("Forwarder.sol:Forwarder", ""));
        address f = address(_forwarder);
        vm.prank(holder);
        token.approve(address(escrow), type(uint256).max);
        ISpendEscrow.TokenBatch[] memory batches = batchOf(line(50 * CREDIT, 2.1e18), 1000);

        // As the settler, the gateway, the vault, the escrow.
        refuse(
            address(escrow),
            abi.encodeCall(escrow.settle, (gateway, 1, ROOT, batches)),
            settler,
            abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, f, gateway)
        );
        refuse(
            address(escrow),
            abi.encodeCall(escrow.release, (key(), 50 * CREDIT)),
            settler,
            abi.encodeWithSelector(ISpendEscrow.NotSettler.selector, f, gateway)
        );
        refuse(
            address(token),
            abi.encodeCall(token.mint, (thief, 1e30)),
            address(vault),
            abi.encodeWithSelector(ICreditToken.NotVault.selector, f, address(vault))
        );
        refuse(
            address(token),
            abi.encodeCall(token.burn, (saver, 100 * CREDIT)),
            address(vault),
            abi.encodeWithSelector(ICreditToken.NotVault.selector, f, address(vault))
        );
        refuse(
            address(vault),
            abi.encodeCall(vault.settle, (address(token), gateway, 1, 2.1e18, batches[0].usage, 1)),
            address(escrow),
            abi.encodeWithSelector(IReserveVault.NotEscrow.selector, f, address(escrow))
        );

        // As the issuer, the guardian, the fee recipient, a provider, the admin.
        refuse(
            address(vault),
            abi.encodeCall(
                vault.proposeLoosening, (address(token), type(uint128).max, type(uint128).max, new uint32[](0))
            ),
            issuer,
            abi.encodeWithSelector(IReserveVault.NotIssuer.selector, f, issuer)
        );
        refuse(
            address(vault),
            abi.encodeCall(vault.retire, (address(token))),
            guardian,
            abi.encodeWithSelector(IReserveVault.NotIssuerOrGuardian.selector, f)
        );
        refuse(
            address(vault),
            abi.encodeCall(vault.withdrawMargin, (address(token), 0)),
            feeRecipient,
            abi.encodeWithSelector(IReserveVault.NotFeeRecipient.selector, f, feeRecipient)
        );
        refuse(
            address(registry),
            abi.encodeCall(registry.changePayout, (acme, thief)),
            acmePayout,
            abi.encodeWithSelector(IProviderRegistry.NotPayout.selector, f, acmePayout)
        );
        bytes memory unauthorised = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, f);
        refuse(address(vault), abi.encodeCall(vault.sweep, (thief)), admin, unauthorised);
        refuse(address(oracle), abi.encodeCall(oracle.setReporters, (reporters, 3)), admin, unauthorised);
        refuse(address(oracle), abi.encodeCall(oracle.vetoPrice, (SKU)), guardian, unauthorised);
        refuse(address(escrow), abi.encodeCall(escrow.pauseSettlement, (1 hours)), guardian, unauthorised);

        // Nor by the authority, which forwards too, for those it knows.
        bytes memory sweep = abi.encodeCall(vault.sweep, (thief));
        refuse(
            address(authority),
            abi.encodeCall(authority.execute, (address(vault), sweep)),
            admin,
            abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedCall.selector, f, address(vault), vault.sweep.selector
            )
        );

        // As the holder: what it would deposit is the forwarder's own, which is nothing; what it would end is not there.
        (bool taken,) =
            forward(address(escrow), abi.encodeCall(escrow.deposit, (address(token), gateway, thief, CREDIT)), holder);
        assertFalse(taken, "a deposit of the holder's credits");
        forward(address(escrow), abi.encodeCall(escrow.startClose, (address(token), gateway, session)), holder);
        assertEq(uint256(accountOf(key()).exitUnlock), 0, "no exit of the holder's account");
        assertEq(token.balanceOf(holder), 50 * CREDIT, "in the holder's wallet");
        assertEq(balanceOf(key()), 50 * CREDIT, "in the holder's account");
        assertTheSaverIsWhole();
    }

    /// @dev One voucher, good for 2.1 credits here and now, is shown everywhere else first.
    function test_ReplayAcrossChainsEscrowsTokensGatewaysAndEpochs() external {
        bytes memory signed = line(50 * CREDIT, 2.1e18);
        bytes memory earlier = line(50 * CREDIT, 1e18);

        // On a chain that split off, with the same addresses and the same accounts.
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        settle(signed, 1000);
        assertEq(balanceOf(key()), 50 * CREDIT, "another chain");
        vm.chainId(chain);

        // In another escrow of the same vault; if there were one, the vault would let it burn.
        replayInAnotherEscrow(signed);

        // With another token of the same holder, gateway and signer.
        ICreditToken first = token;
        token = open(issuer);
        mintTo(holder, 50 * CREDIT);
        depositFor(session, 50 * CREDIT);
        settle(signed, 1000);
        assertEq(balanceOf(key()), 50 * CREDIT, "another token");
        token = first;

        // At another gateway, whose account is as full.
        address honest = gateway;
        gateway = thief;
        depositFor(session, 40 * CREDIT);
        vm.prank(thief);
        escrow.appointSettler(settler);
        settle(signed, 1000);
        assertEq(balanceOf(key()), 40 * CREDIT, "another gateway");
        gateway = honest;

        // Here it counts, once.
        settle(signed, 1000);
        assertEq(balanceOf(key()), 47.9e18, "here");
        settle(bytes.concat(signed, earlier), 50_000);
        assertEq(balanceOf(key()), 47.9e18, "twice, or what it grew from");

        // And after the account was closed and filled again, not any more.
        vm.prank(holder);
        escrow.startClose(address(token), gateway, session);
        vm.warp(vm.getBlockTimestamp() + EXIT_DELAY);
        escrow.executeExit(key());
        depositFor(session, 10 * CREDIT);
        settle(signed, 1000);
        assertEq(balanceOf(key()), 10 * CREDIT, "another epoch");
        assertTheSaverIsWhole();
    }

    /// @dev (r, n - s) with the other parity is as good a signature to the curve, and would be another one to a careless book.
    function test_SignatureMalleability() external {
        // A voucher's twin spends nothing, before or after the voucher itself: what counts is `spent`, not the signature.
        bytes memory good = line(50 * CREDIT, 2.1e18);
        bytes memory twin = twinOf(good);
        settle(bytes.concat(twin, good, twin), 1000);
        assertEq(balanceOf(key()), 47.9e18, "once");

        // An s above half the order is no one's, whatever the curve says.
        bytes memory high = line(50 * CREDIT, 4.2e18);
        bytes32 half = bytes32((CURVE_ORDER >> 1) + 1);
        assembly ("memory-safe") {
            mstore(add(high, 133), half)
        }
        expectOutcome(LineStatus.BadSignature);
        settle(high, 1000);

        // A deposit's twin is refused, and the deposit itself works once.
        (uint8 v, bytes32 r, bytes32 s) = authorizationOf(4 * CREDIT);
        bytes32 otherS = bytes32(CURVE_ORDER - uint256(s));
        uint8 otherV = v == 27 ? 28 : 27;
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder));
        deposit(abi.encodePacked(r, otherS, otherV));
        deposit(abi.encodePacked(r, s, v));
        vm.expectPartialRevert(IAuthorizations.AuthorizationAlreadyUsed.selector);
        deposit(abi.encodePacked(r, s, v));
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder));
        deposit(abi.encodePacked(r, otherS, otherV));
        assertEq(balanceOf(key()), 51.9e18, "deposited once");

        // A permit's twin gives no allowance.
        bytes32 digest =
            hashes.permit(IERC20Permit(address(token)).DOMAIN_SEPARATOR(), holder, thief, 46e18, 0, DEADLINE);
        (v, r, s) = vm.sign(holderKey, digest);
        vm.expectRevert();
        IERC20Permit(address(token))
            .permit(holder, thief, 46e18, DEADLINE, v == 27 ? 28 : 27, r, bytes32(CURVE_ORDER - uint256(s)));
        assertEq(token.allowance(holder, thief), 0, "no allowance");
        assertTheSaverIsWhole();
    }

    /// @dev Whoever carries a signed deposit may carry it where it was going, and nowhere else.
    function test_ARelayerRedirectsNoDeposit() external {
        bytes memory signature = signedDeposit(4 * CREDIT);
        (address[4] memory honest, bytes memory invalid) = (
            [address(token), gateway, holder, session],
            abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder)
        );
        ISpendEscrow.AccountKey memory to = key();
        vm.startPrank(thief);
        to.gateway = thief;
        vm.expectRevert(invalid);
        escrow.depositWithAuthorization(to, 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        (to.gateway, to.signer) = (honest[1], thief);
        vm.expectRevert(invalid);
        escrow.depositWithAuthorization(to, 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        (to.signer, to.holder) = (honest[3], thief);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, thief));
        escrow.depositWithAuthorization(to, 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        to.holder = honest[2];
        vm.expectRevert(invalid);
        escrow.depositWithAuthorization(to, 50 * CREDIT, SALT, 0, VALID_BEFORE, signature);

        // Nor past the escrow, at the token itself.
        bytes32 nonce = escrow.depositNonce(to, 4 * CREDIT, SALT);
        vm.expectRevert(abi.encodeWithSelector(IAuthorizations.CallerNotPayee.selector, thief, address(escrow)));
        token.receiveWithAuthorization(holder, address(escrow), 4 * CREDIT, 0, VALID_BEFORE, nonce, signature);
        vm.expectRevert(invalid);
        token.receiveWithAuthorization(holder, thief, 4 * CREDIT, 0, VALID_BEFORE, nonce, signature);

        // Where it was going it arrives.
        escrow.depositWithAuthorization(to, 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        vm.stopPrank();
        assertEq(balanceOf(key()), 54 * CREDIT, "deposited");
        assertTheSaverIsWhole();
    }

    /// @dev The same of a top-up, which is dollars until it arrives.
    function test_ARelayerRedirectsNoTopUp() external {
        asset.mint(holder, 4 * DOLLAR);
        bytes memory signature = signedTopUp();
        bytes memory invalid = abi.encodeWithSelector(IAuthorizations.InvalidAuthorizationSignature.selector, holder);
        ISpendEscrow.AccountKey memory to = key();
        vm.startPrank(thief);
        (to.gateway, to.signer) = (thief, thief);
        vm.expectRevert(invalid);
        escrow.topUp(to, 4 * DOLLAR, 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        to = key();
        vm.expectRevert(invalid);
        escrow.topUp(to, 4 * DOLLAR, 1, SALT, 0, VALID_BEFORE, signature);

        // As a mint to the thief, at the vault.
        vm.expectRevert(invalid);
        vault.mintWithAuthorization(
            address(token),
            thief,
            4 * CREDIT,
            SALT,
            IReserveVault.AssetAuthorization(holder, 4 * DOLLAR, 0, VALID_BEFORE, signature)
        );
        escrow.topUp(to, 4 * DOLLAR, 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
        vm.stopPrank();
        assertEq(balanceOf(key()), 54 * CREDIT, "topped up");
        assertTheSaverIsWhole();
    }

    /// @dev Everything a settlement publishes, read by someone who would spend the rest of the account.
    function test_NoKeyIsRebuiltFromSettlementCalldata() external {
        bytes memory seen = line(50 * CREDIT, 2.1e18);
        ISpendEscrow.TokenBatch[] memory batches = batchOf(seen, 1000);
        bytes memory published = abi.encodeCall(escrow.settle, (gateway, 1, ROOT, batches));
        vm.prank(settler);
        escrow.settle(gateway, 1, ROOT, batches);

        // The secret, which the gateway asks for with the voucher, is not among it: no word of it hashes to the key hash.
        for (uint256 offset; offset + 32 <= published.length; ++offset) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(published, 32), offset))
            }
            assertFalse(bytes16(keccak256(abi.encode(word))) == keyHash(), "the secret");
        }

        // Under a secret of the thief's own, for more than was signed, or at the thief's gateway, the signature is nobody's.
        settle(forged(seen, 50 * CREDIT, 4.2e18, bytes16(keccak256("a secret of the thief's"))), 1000);
        settle(forged(seen, 90 * CREDIT, 4.2e18, keyHash()), 1000);
        vm.startPrank(thief);
        escrow.appointSettler(thief);
        escrow.settle(thief, 1, ROOT, batches);
        vm.stopPrank();
        assertEq(balanceOf(key()), 47.9e18, "the rest is still there");
        assertTheSaverIsWhole();
    }

    // What the tests above share

    function forward(address target, bytes memory call_, address from)
        private
        returns (bool taken, bytes memory answer)
    {
        vm.prank(thief);
        return _forwarder.forward(target, call_, from);
    }

    function refuse(address target, bytes memory call_, address from, bytes memory reason) private {
        (bool taken, bytes memory answer) = forward(target, call_, from);
        assertFalse(taken, "forwarded");
        assertEq(answer, reason, "for the forwarder's own sake");
    }

    function replayInAnotherEscrow(bytes memory signed) private {
        ISpendEscrow first = escrow;
        escrow = ISpendEscrow(deploy("SpendEscrow.sol:SpendEscrow", abi.encode(vault, EXIT_DELAY, authority)));
        depositFor(session, 10 * CREDIT);
        vm.prank(gateway);
        escrow.appointSettler(settler);
        expectSettleReverts(
            signed, 1000, abi.encodeWithSelector(IReserveVault.NotEscrow.selector, address(escrow), address(first))
        );
        vm.mockCall(address(vault), abi.encodeWithSelector(vault.settle.selector), "");
        settle(signed, 1000);
        vm.clearMockedCalls();
        assertEq(balanceOf(key()), 10 * CREDIT, "another escrow");
        escrow = first;
    }

    /// @dev A line of the thief's, with the signature that it saw.
    function forged(bytes memory seen, uint96 maxSpend, uint96 spentAfter, bytes16 keyHash_)
        private
        view
        returns (bytes memory)
    {
        (bytes32 r, bytes32 vs) = (bytes32(0), bytes32(0));
        assembly ("memory-safe") {
            r := mload(add(seen, 101))
            vs := mload(add(seen, 133))
        }
        return abi.encodePacked(holder, maxSpend, spentAfter, DEADLINE, uint32(0), keyHash_, r, vs);
    }

    /// @dev The line with the other signature of the same voucher, as far as EIP-2098 can write it.
    function twinOf(bytes memory line_) private pure returns (bytes memory twin) {
        twin = bytes.concat(line_);
        bytes32 vs;
        assembly ("memory-safe") {
            vs := mload(add(twin, 133))
        }
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        vs = bytes32((CURVE_ORDER - s) ^ (uint256(vs) & ~(type(uint256).max >> 1)) ^ (1 << 255));
        assembly ("memory-safe") {
            mstore(add(twin, 133), vs)
        }
    }

    function expectOutcome(LineStatus status) private {
        uint64 batchId = escrow.nextBatchId(gateway);
        vm.expectEmit(address(escrow));
        emit ISpendEscrow.BatchSettled(gateway, batchId, ROOT, abi.encodePacked(uint8(status), uint96(0)));
    }

    function authorizationOf(uint256 credits) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 digest = hashes.receiveWithAuthorization(
            IERC20Permit(address(token)).DOMAIN_SEPARATOR(),
            holder,
            address(escrow),
            credits,
            0,
            VALID_BEFORE,
            escrow.depositNonce(key(), credits, SALT)
        );
        return vm.sign(holderKey, digest);
    }

    function signedDeposit(uint256 credits) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = authorizationOf(credits);
        return abi.encodePacked(r, s, v);
    }

    function signedTopUp() private view returns (bytes memory) {
        bytes32 digest = hashes.receiveWithAuthorization(
            asset.DOMAIN_SEPARATOR(),
            holder,
            address(vault),
            4 * DOLLAR,
            0,
            VALID_BEFORE,
            escrow.topUpNonce(key(), 4 * CREDIT, SALT)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(holderKey, digest);
        return abi.encodePacked(r, s, v);
    }

    function deposit(bytes memory signature) private {
        escrow.depositWithAuthorization(key(), 4 * CREDIT, SALT, 0, VALID_BEFORE, signature);
    }
}
