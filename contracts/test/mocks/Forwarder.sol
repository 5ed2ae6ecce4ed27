// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Forwards anything for anyone, and says at the end of the calldata on whose behalf (ERC-2771).
contract Forwarder {
    function forward(address target, bytes calldata call_, address from)
        external
        returns (bool taken, bytes memory answer)
    {
        return target.call(abi.encodePacked(call_, from));
    }
}
