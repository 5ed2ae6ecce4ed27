// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {ICreditToken} from "../../interfaces/ICreditToken.sol";
import {IProviderRegistry, Kind} from "../../interfaces/IProviderRegistry.sol";
import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {VaultTest} from "../VaultTest.sol";

interface IDeployers {
    function TOKEN_DEPLOYER() external view returns (address);
}

contract OpenProjectTest is VaultTest {
    function test_RevertWhen_NameOrSymbolIsEmpty() external {
        IReserveVault.Terms memory nameless = terms();
        nameless.name = "";
        vm.expectRevert(IReserveVault.EmptyName.selector);
        vault.openProject(nameless);

        IReserveVault.Terms memory symbolless = terms();
        symbolless.symbol = "";
        vm.expectRevert(IReserveVault.EmptyName.selector);
        vault.openProject(symbolless);
    }

    function testFuzz_RevertWhen_ParIsOutOfRange(uint64 par) external {
        vm.assume(par < 1e3 || par > 1e9);
        IReserveVault.Terms memory odd = terms();
        odd.par = par;
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ParOutOfRange.selector, par, 1e3, 1e9));
        vault.openProject(odd);
    }

    function testFuzz_OpensAtEveryParInRange(uint64 par) external {
        IReserveVault.Terms memory priced = terms();
        priced.par = uint64(bound(par, 1e3, 1e9));
        assertEq(vault.projectOf(address(open(priced))).par, priced.par, "par");
    }

    function test_RevertWhen_AnOfficialProjectCarriesAMarkup() external {
        IReserveVault.Terms memory dear = terms();
        dear.kind = Kind.Official;
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.MarkupOnOfficialProject.selector, 500));
        vault.openProject(dear);
    }

    function test_RevertWhen_TheFeeRecipientIsZero() external {
        IReserveVault.Terms memory lost = terms();
        lost.feeRecipient = address(0);
        vm.expectRevert(IReserveVault.ZeroFeeRecipient.selector);
        vault.openProject(lost);
    }

    function test_RevertWhen_AProviderIsNotRegistered() external {
        IReserveVault.Terms memory unknown = terms();
        unknown.providers[1] = 99;
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.UnknownProvider.selector, 99));
        vault.openProject(unknown);
    }

    function test_RevertWhen_AProviderIsOfTheOtherKind() external {
        IReserveVault.Terms memory mixed = terms();
        mixed.providers[1] = official;
        vm.expectRevert(
            abi.encodeWithSelector(IReserveVault.ProviderKindMismatch.selector, official, Kind.Official, Kind.Routed)
        );
        vault.openProject(mixed);
    }

    function test_RevertWhen_AProviderIsInactive() external {
        vm.startPrank(admin);
        registry.deactivate(bole);
        registry.deactivate(official);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderInactive.selector, bole));
        vault.openProject(terms());
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ProviderInactive.selector, official));
        vault.openProject(officialTerms());
    }

    function test_RevertWhen_AProviderForbidsResale() external {
        vm.prank(admin);
        registry.forbidResale(bole);
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.ResaleForbidden.selector, bole));
        vault.openProject(terms());

        assertFalse(registry.providerOf(official).resaleAllowed, "the official one's");
        assertTrue(vault.isProject(vault.openProject(officialTerms())), "an official project resells nothing");
    }

    function officialTerms() private view returns (IReserveVault.Terms memory terms_) {
        terms_ = terms();
        (terms_.kind, terms_.markupBps) = (Kind.Official, 0);
        terms_.providers = new uint32[](1);
        terms_.providers[0] = official;
    }

    function test_DeploysTheTokenWhereIssuerAndIndexSay() external {
        assertEq(vault.projectCount(issuer), 2, "opened by the fixture");
        IReserveVault.Terms memory terms_ = terms();
        bytes memory creation = vm.getCode("CreditToken.sol:CreditToken");
        bytes32 initCodeHash =
            keccak256(abi.encodePacked(creation, abi.encode(address(vault), terms_.name, terms_.symbol, false)));
        address deployer = IDeployers(address(vault)).TOKEN_DEPLOYER();
        address expected = Create2.computeAddress(keccak256(abi.encode(issuer, 2)), initCodeHash, deployer);

        assertEq(address(open(terms_)), expected, "token");
        assertEq(vault.projectCount(issuer), 3, "counted");
        assertTrue(vault.isProject(expected), "opened here");
        assertTrue(vault.acceptsDeposits(expected), "takes deposits");
        assertEq(ICreditToken(expected).VAULT(), address(vault), "token's vault");
        assertEq(IERC20Metadata(expected).name(), "Project X AI Credits", "name");
        assertEq(IERC20Metadata(expected).symbol(), "PROJECTX_AI_CREDITS", "symbol");
        assertEq(IERC20Metadata(expected).decimals(), 18, "decimals");
    }

    function test_EmitsTheTerms() external {
        IReserveVault.Terms memory terms_ = terms();
        uint256 before = vm.snapshotState();
        address expected = address(open(terms_));
        vm.revertToState(before);
        vm.expectEmit(address(vault));
        emit IReserveVault.ProjectOpened(expected, issuer, terms_);
        open(terms_);
    }

    function test_StoresTheTerms() external {
        IReserveVault.Terms memory terms_ = terms();
        terms_.allowlist = true;
        terms_.publicMint = false;
        terms_.mintCap = 11;
        terms_.payoutCap = 22;
        address token_ = address(open(terms_));
        IReserveVault.Project memory project = vault.projectOf(token_);
        assertEq(project.issuer, issuer, "issuer");
        assertEq(project.feeRecipient, feeRecipient, "fee recipient");
        assertEq(project.par, PAR, "par");
        assertEq(project.markupBps, 500, "markup");
        assertTrue(project.kind == Kind.Routed, "kind");
        assertFalse(project.publicMint, "public mint");
        assertTrue(project.allowlist, "allow-list");
        assertEq(project.retiredAt, 0, "retired");
        assertEq(project.reserve, 0, "reserve");
        assertEq(project.margin, 0, "margin");
        assertEq(project.mintCap, 11, "mint cap");
        assertEq(project.payoutCap, 22, "payout cap");
        assertTrue(vault.hasProvider(token_, acme), "acme");
        assertTrue(vault.hasProvider(token_, bole), "bole");
        assertFalse(vault.hasProvider(token_, official), "official");
        assertEq(vault.mintRoom(token_), 11, "mint room");
        assertEq(vault.payoutRoom(token_, gateway), 22, "payout room");
    }

    function test_KnowsNoOtherToken() external {
        assertFalse(vault.isProject(address(asset)), "not opened here");
        assertFalse(vault.acceptsDeposits(address(asset)), "takes no deposits");
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.UnknownProject.selector, address(asset)));
        vault.projectOf(address(asset));
    }

    function test_RevertWhen_TheAssetHasOtherDecimals() external {
        vm.expectRevert(abi.encodeWithSelector(IReserveVault.WrongAssetDecimals.selector, 18, 6));
        vm.deployCode("ReserveVault.sol:ReserveVault", abi.encode(token, oracle, registry, EXIT_DELAY, authority));
    }
}
