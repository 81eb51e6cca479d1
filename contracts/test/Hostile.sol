// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// A receiver of money that does what a receiver should not: refuse it, or call back into who pays.
contract Hostile {
    address public target;
    bytes public again;
    bool public refuses;
    uint256 public tries;
    bool public reentered;
    bytes public answer;

    /// What to do when money comes: refuse it, or (with a target) call `target` with `again`, once.
    function arm(bool refuses_, address target_, bytes calldata again_) external {
        refuses = refuses_;
        target = target_;
        again = again_;
        tries = 0;
    }

    /// Call a contract in this one's name.
    function act(address to, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory result) = to.call{value: msg.value}(data);
        if (!ok) {
            assembly {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    receive() external payable {
        if (refuses) revert();
        if (target != address(0) && tries == 0) {
            tries = 1;
            (reentered, answer) = target.call(again);
        }
    }
}
