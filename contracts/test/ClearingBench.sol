// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFlNft, SealedAuction} from "../src/SealedAuction.sol";

/// The auction with its bids and asks opened already, to clear many markets in one call each.
contract ClearingBench is SealedAuction {
    constructor() SealedAuction(IFlNft(address(this))) {}

    /// The asks are of tokens 1 … m, whose owner is this contract.
    function run(
        uint128 reserve,
        bytes32 draw,
        address[] calldata bidders,
        uint88[] calldata totals,
        uint96[] calldata values,
        bytes calldata order
    ) external returns (Sale memory, uint256[] memory ranks) {
        sales[1].reserve = reserve;
        sales[1].stage = Stage.Bidding;
        sales[1].drawSeal = keccak256(abi.encode(draw));
        for (uint256 k; k < bidders.length; ++k) {
            bids[1].push(Bid(bidders[k], totals[k], Status.Opened, bytes32(uint256(totals[k]))));
        }
        for (uint256 k; k < values.length; ++k) {
            askTokens[1].push(k + 1);
            asks[1][k + 1] = Ask(address(this), values[k] + 1, 0);
        }
        this.clear(1, draw, order);
        ranks = new uint256[](bidders.length);
        for (uint256 k; k < bidders.length; ++k) {
            if (bids[1][k].status == Status.Won) ranks[k] = uint256(bids[1][k].word) >> 128;
        }
        return (sales[1], ranks);
    }

    function ownerOf(uint256) external view returns (address) {
        return address(this);
    }

    function reserveRanks(uint256, uint32) external pure returns (uint32) {
        return 0;
    }
}
