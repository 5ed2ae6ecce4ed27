// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {BackingMath} from "../../libraries/BackingMath.sol";
import {Proof} from "./Proof.sol";

/// @title Each conversion of BackingMath rounds for the reserve, whatever the amounts and whatever the par.
contract RoundingProof is Proof {
    using BackingMath for uint256;

    /// @notice S1 over a mint: what it takes covers what it adds, to a reserve that was just enough.
    function check_MintKeepsTheBacking(uint128 supply, uint128 credits, uint64 par) external pure {
        assumeInRange(supply, credits, par);
        uint256 reserve = uint256(par).toAssetsUp(supply) + uint256(par).toAssetsUp(credits);
        assert(reserve >= uint256(par).toAssetsUp(uint256(supply) + credits));
    }

    /// @notice S1 over a redemption or a burn: what it frees leaves what the rest needs.
    function check_RedeemKeepsTheBacking(uint128 supply, uint128 credits, uint64 par) external pure {
        assumeInRange(supply, credits, par);
        vm.assume(credits <= supply);
        uint256 reserve = uint256(par).toAssetsUp(supply);
        uint256 freed = uint256(par).toAssetsDown(credits);
        assert(reserve >= freed);
        assert(reserve - freed >= uint256(par).toAssetsUp(supply - credits));
    }

    /// @notice S3: a mint brings in no less than the same credits bring back, and at most one unit more.
    function check_ARoundTripGainsNothing(uint128 credits, uint64 par) external pure {
        assumeInRange(credits, 0, par);
        uint256 paid = uint256(par).toAssetsUp(credits);
        uint256 back = uint256(par).toAssetsDown(credits);
        assert(back <= paid);
        assert(paid - back <= 1);
    }

    /// @notice S3: two mints cost no less than one of both.
    function check_SplittingAMintGainsNothing(uint128 first, uint128 second, uint64 par) external pure {
        assumeInRange(first, second, par);
        uint256 both = uint256(par).toAssetsUp(uint256(first) + second);
        assert(uint256(par).toAssetsUp(first) + uint256(par).toAssetsUp(second) >= both);
    }

    /// @notice S3: two redemptions bring no more than one of both.
    function check_SplittingARedemptionGainsNothing(uint128 first, uint128 second, uint64 par) external pure {
        assumeInRange(first, second, par);
        uint256 both = uint256(par).toAssetsDown(uint256(first) + second);
        assert(uint256(par).toAssetsDown(first) + uint256(par).toAssetsDown(second) <= both);
    }

    /// @notice A mint by authorization gives the credits that its assets pay for, to the last unit.
    function check_APaymentIsUsedUp(uint128 assets, uint64 par) external pure {
        assumeInRange(assets, 0, par);
        assert(uint256(par).toAssetsUp(uint256(par).toCreditsDown(assets)) == assets);
    }

    /// @notice A payout after a loss is no more than the claim, and no more than there is.
    function check_AHaircutPaysNoMoreThanThereIs(uint128 claim, uint128 balance, uint128 claims) external pure {
        vm.assume(claim <= claims);
        uint256 paid = BackingMath.haircutDown(claim, balance, claims);
        assert(paid <= claim);
        assert(paid <= balance);
    }

    /// @notice And leaves the claims that remain no smaller a share of what remains.
    function check_AHaircutLeavesTheRestItsShare(uint128 claim, uint128 balance, uint128 claims) external pure {
        vm.assume(claim <= claims && balance < claims);
        uint256 paid = BackingMath.haircutDown(claim, balance, claims);
        assert((balance - paid) * claims >= uint256(balance) * (claims - claim));
    }

    /// @notice S5: shares of a backing add up to no more than it.
    function check_SharesFitTheBacking(uint128 backing, uint128 first, uint128 second) external pure {
        uint256 whole = uint256(first) + second;
        uint256 shares =
            BackingMath.proRataDown(backing, first, whole) + BackingMath.proRataDown(backing, second, whole);
        assert(shares <= backing);
    }

    /// @notice S5: what may be burned costs no more than the usage did with its markup, and a nanocredit for each request.
    function check_TheBurnLimitIsTheCost(uint128 usdWad, uint64 par, uint16 markupBps, uint24 requests) external pure {
        assumeInRange(usdWad, 0, par);
        uint256 limit = BackingMath.burnLimitDown(usdWad, par, markupBps, requests);
        uint256 ofUsage = limit - uint256(requests) * 1e9;
        assert(ofUsage * (uint256(par) * 10_000) <= uint256(usdWad) * (1e6 * (10_000 + uint256(markupBps))));
    }

    /// @notice S5: providers together are due no more than the whole usage costs.
    function check_ProvidersAreDueNoMoreThanTheCost(uint128 first, uint128 second) external pure {
        uint256 due = BackingMath.usdToAssetsDown(first) + BackingMath.usdToAssetsDown(second);
        assert(due <= BackingMath.usdToAssetsDown(uint256(first) + second));
        assert(due * 1e12 <= uint256(first) + second);
    }
}

/// @title What is not so. Whoever proves one of these proves nothing: scripts/evidence/proofs.py wants each refuted.
contract UntrueProof is Proof {
    using BackingMath for uint256;

    function check_AMintRoundedDownKeepsTheBacking(uint128 supply, uint128 credits, uint64 par) external pure {
        assumeInRange(supply, credits, par);
        uint256 reserve = uint256(par).toAssetsUp(supply) + uint256(par).toAssetsDown(credits);
        assert(reserve >= uint256(par).toAssetsUp(uint256(supply) + credits));
    }

    function check_ARedemptionRoundedUpKeepsTheBacking(uint128 supply, uint128 credits, uint64 par) external pure {
        assumeInRange(supply, credits, par);
        vm.assume(credits <= supply);
        uint256 reserve = uint256(par).toAssetsUp(supply);
        assert(reserve - uint256(par).toAssetsUp(credits) >= uint256(par).toAssetsUp(supply - credits));
    }

    function check_ARoundTripLosesNothing(uint128 credits, uint64 par) external pure {
        assumeInRange(credits, 0, par);
        assert(uint256(par).toAssetsUp(credits) == uint256(par).toAssetsDown(credits));
    }

    function check_SharesAreTheBacking(uint128 backing, uint128 first, uint128 second) external pure {
        uint256 whole = uint256(first) + second;
        vm.assume(whole != 0);
        uint256 shares =
            BackingMath.proRataDown(backing, first, whole) + BackingMath.proRataDown(backing, second, whole);
        assert(shares == backing);
    }
}
