// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// ERC-7507 (draft): many users of one token, each until a moment of its own.
interface IERC7507 {
    event UpdateUser(uint256 indexed tokenId, address indexed user, uint64 expires);

    function userExpires(uint256 tokenId, address user) external view returns (uint256);
    function setUser(uint256 tokenId, address user, uint64 expires) external;
}
