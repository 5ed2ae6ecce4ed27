// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReserveVault} from "../../interfaces/IReserveVault.sol";
import {MoneyActions} from "./MoneyActions.sol";

/// @title The asset fails: dollars vanish from the vault or come back, and the guardian declares a depeg.
abstract contract LossActions is MoneyActions {
    function loseAssets(uint256 assets) external on(NO_PROJECT) {
        uint256 balance = asset.balanceOf(address(vault));
        vm.assume(balance != 0);
        vm.prank(address(vault));
        asset.transfer(address(0xdead), bound(assets, 1, balance / 5 + 1));
    }

    function makeGood(uint256 assets) external on(NO_PROJECT) {
        (uint256 balance, uint256 claims) = (asset.balanceOf(address(vault)), vault.totalClaims());
        vm.assume(balance < claims);
        asset.mint(address(vault), bound(assets, 1, claims - balance));
    }

    function depeg() external on(NO_PROJECT) {
        vm.assume(!oracle.depegged());
        vm.prank(guardian);
        oracle.declareDepeg();
    }

    function repeg() external on(NO_PROJECT) {
        vm.assume(oracle.depegged());
        oracle.withdrawDepeg();
    }

    /// @notice Mints while all is well, and is refused while it is not: newcomers pay for no one's loss.
    function mintIfSound(uint256 project, uint256 member, uint256 credits) external on(1 << (project % PROJECTS)) {
        project %= PROJECTS;
        member %= MEMBERS;
        address token = address(tokens[project]);
        uint256 room = vault.mintRoom(token);
        vm.assume(room != 0);
        credits = bound(credits, 1, room);
        bool sound = asset.balanceOf(address(vault)) >= vault.totalClaims();
        bytes4 expected = oracle.depegged()
            ? IReserveVault.AssetDepegged.selector
            : sound ? bytes4(0) : IReserveVault.Undercollateralised.selector;
        if (expected == 0) return buy(project, member, credits);

        address payer = members[member].addr;
        uint256 cost = vault.previewMint(token, credits);
        asset.mint(payer, cost);
        vm.startPrank(payer);
        asset.approve(address(vault), cost);
        try vault.mint(token, credits, cost, payer) {
            broke("minted while the asset was not sound");
        } catch (bytes memory reason) {
            if (bytes4(reason) != expected) broke("refused for another reason");
        }
        asset.transfer(address(0xdead), cost);
        vm.stopPrank();
    }
}
