// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InvariantTest} from "./InvariantTest.sol";

// One contract for each rule of contracts/README.md: forge then runs them side by side.

contract S1_ReserveCoversSupplyTest is InvariantTest {
    function setUp() external {
        begin(0, 0);
    }

    function invariant_S1_ReserveCoversSupply() external {
        handler.requireReserves();
        requireNothingBroken();
    }
}

contract S2_ClaimsAddUpAndAreCoveredTest is InvariantTest {
    function setUp() external {
        begin(1, 0);
    }

    function invariant_S2_ClaimsAddUpAndAreCovered() external {
        handler.requireClaims();
        requireNothingBroken();
    }
}

contract S3_EachProjectsFlowsAddUpTest is InvariantTest {
    function setUp() external {
        begin(2, 0);
    }

    function invariant_S3_EachProjectsFlowsAddUp() external {
        handler.requireFlows();
        requireNothingBroken();
    }
}

contract S3_TheAttackerGainsNothingTest is InvariantTest {
    function setUp() external {
        begin(3, WEALTH);
    }

    function invariant_S3_TheAttackerGainsNothing() external {
        handler.requireNoGain();
        requireNothingBroken();
    }
}

contract S4_NoCallTouchesAnotherProjectTest is InvariantTest {
    function setUp() external {
        begin(4, ISOLATION);
    }

    function invariant_S4_NoCallTouchesAnotherProject() external {
        // Seen during the calls.
        requireNothingBroken();
    }
}

contract S5_PaidWithinBurnedWithinCostTest is InvariantTest {
    function setUp() external {
        begin(5, 0);
    }

    function invariant_S5_PaidWithinBurnedWithinCost() external {
        // Seen during the calls.
        requireNothingBroken();
    }
}

contract S6_SpentIsSignedAndNeverFallsTest is InvariantTest {
    function setUp() external {
        begin(6, ACCOUNTS);
    }

    function invariant_S6_SpentIsSignedAndNeverFalls() external {
        // Seen during the calls.
        requireNothingBroken();
    }
}

contract S7_EveryoneCanLeaveTest is InvariantTest {
    function setUp() external {
        begin(7, 0);
    }

    function invariant_S7_EveryoneCanLeave() external {
        handler.requireWayOut();
        requireNothingBroken();
    }
}

contract S8_MintsKeepTheDaysCapTest is InvariantTest {
    function setUp() external {
        begin(8, 0);
    }

    function invariant_S8_MintsKeepTheDaysCap() external {
        handler.requireMintCaps();
        requireNothingBroken();
    }
}

contract S8_PayoutsKeepTheDaysCapTest is InvariantTest {
    function setUp() external {
        begin(9, 0);
    }

    function invariant_S8_PayoutsKeepTheDaysCap() external {
        handler.requirePayoutCaps();
        requireNothingBroken();
    }
}

contract S9_EscrowCoversItsAccountsTest is InvariantTest {
    function setUp() external {
        begin(10, 0);
    }

    function invariant_S9_EscrowCoversItsAccounts() external {
        handler.requireEscrow();
        requireNothingBroken();
    }
}

// The asset fails: credits are as safe as ever, and of S2 is left that claims add up and share the loss alike.

contract Loss_ClaimsTest is InvariantTest {
    function setUp() external {
        begin(11, LOSSES);
    }

    function invariant_Loss_ClaimsAddUpAndShareAlike() external {
        handler.requireClaims();
        handler.requireReserves();
        handler.requireFlows();
        requireNothingBroken();
    }
}

contract Loss_CreditsTest is InvariantTest {
    function setUp() external {
        begin(12, LOSSES);
    }

    function invariant_Loss_CreditsAreNotTouched() external {
        handler.requireEscrow();
        handler.requireMintCaps();
        handler.requirePayoutCaps();
        requireNothingBroken();
    }
}
