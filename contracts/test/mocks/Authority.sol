// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title OpenZeppelin's manager under a name of ours: forge keeps no artifact of what it finds in node_modules.
contract Authority is AccessManager {
    constructor(address admin) AccessManager(admin) {}
}
