// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A contract wallet of one owner. It may also be one that answers ERC-1271 as badly as code can.
contract Wallet is IERC1271 {
    enum Answer {
        Honest,
        Refusal,
        // A right word with something behind its four bytes.
        DirtyWord,
        // The four bytes alone.
        TooShort,
        Nothing,
        Revert,
        // A megabyte that begins with the right word.
        Bomb,
        RevertBomb,
        BurnAllGas,
        Reenter,
        AlwaysYes
    }

    address public immutable OWNER;
    Answer public answer;
    address private _target;
    bytes private _call;

    constructor(address owner) {
        OWNER = owner;
    }

    function behave(Answer answer_) external {
        answer = answer_;
    }

    /// @notice What it calls when it is asked for a signature.
    function reenter(address target, bytes calldata call_) external {
        (answer, _target, _call) = (Answer.Reenter, target, call_);
    }

    function execute(address target, bytes calldata call_) external {
        require(msg.sender == OWNER, "not the owner");
        (bool success, bytes memory answered) = target.call(call_);
        require(success, string(answered));
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        Answer chosen = answer;
        bytes4 yes = IERC1271.isValidSignature.selector;
        if (chosen == Answer.Honest) {
            bool owners = signature.length == 65
                && ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])) == OWNER;
            return owners ? yes : bytes4(0xffffffff);
        }
        if (chosen == Answer.Refusal) return 0xffffffff;
        if (chosen == Answer.AlwaysYes) return yes;
        if (chosen == Answer.Reenter) {
            // A view may only read: a call that writes fails, whatever this contract is willing to do.
            (bool success,) = _target.staticcall(_call);
            return success ? yes : bytes4(0xffffffff);
        }
        if (chosen == Answer.Revert) revert("no");
        if (chosen == Answer.BurnAllGas) while (true) {}
        assembly ("memory-safe") {
            mstore(0x00, yes)
            switch chosen
            case 2 {
                mstore(0x00, or(yes, 1))
                return(0x00, 0x20)
            }
            case 3 { return(0x00, 0x04) }
            case 6 {
                mstore(0x80, yes)
                return(0x80, 100000)
            }
            case 7 {
                mstore(0x80, yes)
                revert(0x80, 100000)
            }
            default { return(0x00, 0x00) }
        }
    }
}
