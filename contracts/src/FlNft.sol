// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC2981} from "@openzeppelin/contracts/token/common/ERC2981.sol";

import {IERC7507} from "./IERC7507.sol";

/// A trained model as a token (ERC-721), owned by the DAO that minted it. Providers hold licences of it: many a token,
/// each with a rank and an expiry (ERC-7507), which they may sell on; the DAO gets its royalty (ERC-2981).
/// Money waits as credit until its owner withdraws it, so that no receiver can stop another.
contract FlNft is ERC721, ERC2981, IERC7507 {
    struct Model {
        bytes32 document; // SHA-256 of the token's document
        bytes32 weights; // SHA-256 of the file of weights
    }

    struct Licence {
        address holder;
        uint64 expires;
    }

    event Minted(uint256 indexed token, address indexed dao, bytes32 document, bytes32 weights);
    event Licensed(uint256 indexed token, uint32 indexed rank, address indexed holder, uint64 expires);
    event Offered(uint256 indexed token, uint32 indexed rank, uint256 price);
    event Withdrawn(uint256 indexed token, uint32 indexed rank);
    event Resold(uint256 indexed token, uint32 indexed rank, address indexed to, uint256 price, uint256 royalty);

    error NotMarket();
    error HoldsOne(address holder);
    error NoLicence(uint256 token, uint32 rank);
    error Expired(uint64 moment);
    error NotForSale();
    error WrongPrice(uint256 due);
    error TransferFailed();

    /// The auction: it alone grants licences.
    address public immutable market;

    uint256 public totalSupply;
    mapping(uint256 token => Model) public models;
    mapping(uint256 token => uint32) public ranks; // the last rank given out
    mapping(uint256 token => mapping(uint32 rank => Licence)) public licences;
    mapping(uint256 token => mapping(address holder => uint32)) public rankOf;
    mapping(uint256 token => mapping(uint32 rank => uint256)) public offers; // price + 1; 0: not for sale
    mapping(address owner => uint256) public credit;

    constructor(address market_) ERC721("FL-NFT", "FLNFT") {
        market = market_;
    }

    modifier onlyMarket() {
        _onlyMarket();
        _;
    }

    /// Mint a model to its DAO, which gets `royaltyBps` / 10000 of every resale.
    function mint(address dao, bytes32 document, bytes32 weights, uint96 royaltyBps) external returns (uint256 token) {
        token = ++totalSupply;
        models[token] = Model(document, weights);
        _setTokenRoyalty(token, dao, royaltyBps);
        _mint(dao, token);
        emit Minted(token, dao, document, weights);
    }

    /// Reserve `count` ranks after those given out before; returns the last of these.
    function reserveRanks(uint256 token, uint32 count) external onlyMarket returns (uint32 given) {
        given = ranks[token];
        ranks[token] = given + count;
    }

    /// Grant a licence of a reserved rank. It takes the place of one that its holder has.
    function license(uint256 token, address holder, uint32 rank, uint64 expires) external onlyMarket {
        _grant(token, holder, rank, expires);
    }

    /// ERC-7507's way to the same: the next rank of a token.
    function setUser(uint256 token, address user, uint64 expires) external onlyMarket {
        _grant(token, user, ++ranks[token], expires);
    }

    /// When the user's licence ends; 0 for who has none.
    function userExpires(uint256 token, address user) public view returns (uint256) {
        uint32 rank = rankOf[token][user];
        return rank == 0 ? 0 : licences[token][rank].expires;
    }

    /// Whether the user holds a licence that has not expired.
    function mayUse(uint256 token, address user) external view returns (bool) {
        return userExpires(token, user) > block.timestamp;
    }

    /// Offer a licence for sale, or change its price.
    function offer(uint256 token, uint32 rank, uint256 price) external {
        _heldBySender(token, rank);
        offers[token][rank] = price + 1;
        emit Offered(token, rank, price);
    }

    /// Take an offer back; where there is none, nothing changes.
    function withdrawOffer(uint256 token, uint32 rank) external {
        _heldBySender(token, rank);
        delete offers[token][rank];
        emit Withdrawn(token, rank);
    }

    /// Buy an offered licence at exactly its price. It keeps rank and expiry; the DAO gets its royalty.
    function buy(uint256 token, uint32 rank) external payable {
        uint256 price = offers[token][rank];
        if (price == 0) revert NotForSale();
        unchecked {
            price -= 1;
        }
        if (msg.value != price) revert WrongPrice(price);
        Licence storage licence = licences[token][rank];
        uint64 expires = _live(licence);
        if (userExpires(token, msg.sender) > block.timestamp) revert HoldsOne(msg.sender);

        address seller = licence.holder;
        (address dao, uint256 royalty) = royaltyInfo(token, price);
        credit[dao] += royalty;
        credit[seller] += price - royalty;
        delete offers[token][rank];
        delete rankOf[token][seller];
        licence.holder = msg.sender;
        rankOf[token][msg.sender] = rank;
        emit UpdateUser(token, seller, 0);
        emit UpdateUser(token, msg.sender, expires);
        emit Resold(token, rank, msg.sender, price, royalty);
    }

    /// Send the sender's credit to `to`; a second time moves 0.
    function withdraw(address payable to) external returns (uint256 amount) {
        amount = credit[msg.sender];
        credit[msg.sender] = 0;
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed();
    }

    function supportsInterface(bytes4 id) public view override(ERC721, ERC2981) returns (bool) {
        return id == type(IERC7507).interfaceId || super.supportsInterface(id);
    }

    function _onlyMarket() private view {
        if (msg.sender != market) revert NotMarket();
    }

    function _grant(uint256 token, address holder, uint32 rank, uint64 expires) private {
        uint32 old = rankOf[token][holder];
        if (old != 0) delete licences[token][old];
        licences[token][rank] = Licence(holder, expires);
        rankOf[token][holder] = rank;
        emit UpdateUser(token, holder, expires);
        emit Licensed(token, rank, holder, expires);
    }

    function _heldBySender(uint256 token, uint32 rank) private view {
        Licence storage licence = licences[token][rank];
        if (licence.holder != msg.sender) revert NoLicence(token, rank);
        _live(licence);
    }

    function _live(Licence storage licence) private view returns (uint64 expires) {
        expires = licence.expires;
        if (expires <= block.timestamp) revert Expired(expires);
    }
}
