// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

interface IFlNft {
    function ownerOf(uint256 token) external view returns (address);
    function reserveRanks(uint256 token, uint32 count) external returns (uint32);
    function license(uint256 token, address holder, uint32 rank, uint64 expires) external;
}

/// A sealed-bid double auction of licences, cleared by the rule pms-am: the price is p = min(second-lowest ask, reserve);
/// every bid of p or more wins and pays p, and the DAO with the lowest ask gets p a licence.
///
/// A bidder locks its whole budget, which tells nothing about its bid, and seals the bid itself. After the close the
/// auctioneer opens the seals from the encrypted boxes, or a bidder opens its own; who clears must list every winner in
/// the right order, which is checked here and sorted nowhere. Money waits as credit until its owner withdraws it.
contract SealedAuction is EIP712 {
    enum Status { None, Sealed, Opened, Rejected, Won, Settled }
    enum Stage { None, Bidding, Cleared, NoTrade }

    struct Bidder {
        address who;
        bytes32 identity; // its Ed25519 key on the ledgers
    }

    struct Bid {
        address who;
        uint88 escrow;
        Status status;
        bytes32 word; // the seal; once opened: total | rank << 128
    }

    struct Ask {
        address dao;
        uint96 value; // ask + 1 once opened
        bytes32 seal;
    }

    struct Sale {
        uint128 reserve;
        uint64 closes;
        uint64 opensUntil;
        uint128 price;
        uint32 winners;
        uint32 base; // the token's last rank before these winners
        Stage stage;
        uint32 licenceSecs;
        uint16 forfeitBps;
        bytes32 drawSeal;
        uint256 token;
    }

    struct Terms {
        uint256 price;
        uint256 token;
        address dao;
        uint32 base;
        uint64 expires;
        uint256 forfeitBps; // 0 where nothing was sold
    }

    struct Opening {
        uint256 place;
        uint256 total;
        bytes32 details;
        bytes32 salt;
    }

    uint256 private constant MAX_BIDS = 256; // `order` holds a place in one byte
    uint256 private constant MAX_ASKS = 32;
    uint256 private constant PATIENCE = 7 days; // after this an auction that nobody cleared gives all money back
    bytes32 private constant BID = keccak256("Bid(uint256 auction,address bidder,uint256 total,bytes32 details,bytes32 salt)");
    bytes32 private constant ASK = keccak256("Ask(uint256 auction,uint256 token,address dao,uint256 value,bytes32 salt)");

    event Registered(Bidder[] bidders);
    event Announced(uint256 indexed auction, bytes32 sealTo, uint256 reserve, uint64 closes, uint64 opensUntil);
    event Asked(uint256 indexed auction, uint256 indexed token, address dao, bytes32 seal);
    event SealedBid(uint256 indexed auction, uint256 indexed place, address indexed bidder, bytes32 seal, bytes box);
    event Opened(uint256 indexed auction, uint256 indexed place, uint256 total, bytes32 details);
    event Rejected(uint256 indexed auction, uint256 indexed place, uint256 total);
    event Cleared(uint256 indexed auction, uint256 indexed token, uint256 price, uint256 winners);
    event NoTradeMade(uint256 indexed auction);

    error NotAuctioneer();
    error NotRegistered();
    error NotOwner();
    error TooEarly(uint64 moment);
    error TooLate(uint64 moment);
    error WrongStage();
    error Full();
    error TooMuch();
    error Twice();
    error WrongSeal(uint256 place);
    error NotSealed(uint256 place);
    error OutOfOrder(uint256 place);
    error Incomplete(uint256 got, uint256 want);
    error TransferFailed();

    address public immutable auctioneer;
    IFlNft public immutable nft;

    uint256 public auctions;
    mapping(address bidder => uint256) public bidsFrom; // the first auction in which it may bid; 0: in none
    mapping(uint256 auction => Sale) public sales;
    mapping(uint256 auction => Bid[]) public bids;
    mapping(uint256 auction => uint256[]) public askTokens;
    mapping(uint256 auction => mapping(uint256 token => Ask)) public asks;
    mapping(uint256 auction => mapping(address bidder => uint256)) public bidOf; // place + 1
    mapping(address owner => uint256) public credit;

    constructor(IFlNft nft_) EIP712("flnft-auction", "1") {
        auctioneer = msg.sender;
        nft = nft_;
    }

    modifier onlyAuctioneer() {
        _onlyAuctioneer();
        _;
    }

    /// Let bidders into the auctions that are announced from now on: who may bid, and so every lot of a draw, is fixed
    /// before the draw is sealed. The event binds each to its identity on the ledgers: it is the list
    /// as it came, which the loop has checked to be addresses.
    function register(Bidder[] calldata list) external onlyAuctioneer {
        uint256 next = auctions + 1;
        for (uint256 k; k < list.length; ++k) {
            address who = list[k].who;
            if (bidsFrom[who] == 0) bidsFrom[who] = next;
        }
        bytes32 topic = Registered.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, 0x20)
            mstore(add(data, 0x20), list.length)
            calldatacopy(add(data, 0x40), list.offset, shl(6, list.length))
            log1(data, add(0x40, shl(6, list.length)), topic)
        }
    }

    /// Announce an auction: bids until `closes`, openings until `opensUntil`. `drawSeal` is keccak(draw), the seed of the
    /// lots among equals; who never opens its bid loses `forfeitBps` / 10000 of its escrow to the seller.
    function announce(
        bytes32 sealTo,
        uint128 reserve,
        uint64 closes,
        uint64 opensUntil,
        uint32 licenceSecs,
        bytes32 drawSeal,
        uint16 forfeitBps
    ) external onlyAuctioneer returns (uint256 auction) {
        if (closes <= block.timestamp || opensUntil <= closes) revert TooEarly(uint64(block.timestamp));
        if (forfeitBps > 10000) revert TooMuch();
        auction = ++auctions;
        Sale storage sale = sales[auction];
        sale.reserve = reserve;
        sale.closes = closes;
        sale.opensUntil = opensUntil;
        sale.stage = Stage.Bidding;
        sale.licenceSecs = licenceSecs;
        sale.forfeitBps = forfeitBps;
        sale.drawSeal = drawSeal;
        emit Announced(auction, sealTo, reserve, closes, opensUntil);
    }

    /// Offer licences of a token that the sender owns, at a sealed ask.
    function ask(uint256 auction, uint256 token, bytes32 seal) external {
        _inBidding(auction);
        if (nft.ownerOf(token) != msg.sender) revert NotOwner();
        if (asks[auction][token].dao != address(0)) revert Twice();
        if (askTokens[auction].length == MAX_ASKS) revert Full();
        askTokens[auction].push(token);
        asks[auction][token] = Ask(msg.sender, 0, seal);
        emit Asked(auction, token, msg.sender, seal);
    }

    /// Seal a bid and lock a budget. A later call replaces the seal and adds to what is locked.
    function bid(uint256 auction, bytes32 seal, bytes calldata box) external payable returns (uint256 place) {
        _inBidding(auction);
        uint256 from = bidsFrom[msg.sender];
        if (from == 0 || from > auction) revert NotRegistered();
        place = bidOf[auction][msg.sender];
        if (place == 0) {
            if (msg.value > type(uint88).max) revert TooMuch();
            place = bids[auction].length;
            if (place == MAX_BIDS) revert Full();
            bids[auction].push(Bid(msg.sender, uint88(msg.value), Status.Sealed, seal));
            bidOf[auction][msg.sender] = place + 1;
        } else {
            Bid storage mine = bids[auction][--place];
            uint256 escrow = mine.escrow + msg.value;
            if (escrow > type(uint88).max) revert TooMuch();
            mine.escrow = uint88(escrow);
            mine.word = seal;
        }
        emit SealedBid(auction, place, msg.sender, seal, box);
    }

    /// Open seals after the close, in any number of calls: whoever knows the openings may.
    function open(uint256 auction, Opening[] calldata list) external {
        _inOpening(auction);
        Bid[] storage all = bids[auction];
        uint256 count_ = all.length;
        for (uint256 k; k < list.length; ++k) {
            Opening calldata opening = list[k];
            uint256 place = opening.place;
            if (place >= count_ || all[place].status != Status.Sealed) revert NotSealed(place);
            Bid storage one = all[place];
            uint256 total = opening.total;
            if (sealOf(auction, one.who, total, opening.details, opening.salt) != one.word) revert WrongSeal(place);
            if (total > one.escrow) {
                one.status = Status.Rejected;
                emit Rejected(auction, place, total);
            } else {
                one.status = Status.Opened;
                one.word = bytes32(total);
                emit Opened(auction, place, total, opening.details);
            }
        }
    }

    function openAsk(uint256 auction, uint256 token, uint96 value, bytes32 salt) external {
        _inOpening(auction);
        Ask storage one = asks[auction][token];
        if (one.value != 0) revert NotSealed(token);
        if (value == type(uint96).max) revert TooMuch();
        if (_askSeal(auction, token, one.dao, value, salt) != one.seal) revert WrongSeal(token);
        one.value = value + 1;
    }

    /// Clear. `order` has the places of all opened bids of the price or more, highest first, equal ones by their lots
    /// keccak(draw, bidder); anyone may call after `opensUntil` who knows the draw.
    function clear(uint256 auction, bytes32 draw, bytes calldata order) external {
        Sale storage sale = sales[auction];
        if (sale.stage != Stage.Bidding) revert WrongStage();
        if (block.timestamp <= sale.opensUntil) revert TooEarly(sale.opensUntil);
        if (keccak256(abi.encode(draw)) != sale.drawSeal) revert WrongSeal(0);
        (uint256 token, uint256 price) = _price(auction, sale.reserve, draw);
        if (token == 0 && order.length != 0) revert OutOfOrder(0);
        uint256 winners = token == 0 ? 0 : _rank(auction, price, draw, order);
        if (winners == 0) {
            sale.stage = Stage.NoTrade;
            emit NoTradeMade(auction);
            return;
        }
        sale.stage = Stage.Cleared;
        sale.price = uint128(price);
        sale.winners = uint32(winners);
        sale.token = token;
        sale.base = nft.reserveRanks(token, uint32(winners));
        credit[asks[auction][token].dao] += price * winners;
        emit Cleared(auction, token, price, winners);
    }

    /// Give winners their licence, and everyone what its escrow is more than it owes; anyone may, in any portions.
    function settle(uint256 auction, uint256[] calldata list) external {
        Terms memory terms = _terms(auction);
        Bid[] storage all = bids[auction];
        for (uint256 k; k < list.length; ++k) {
            if (list[k] >= all.length) revert NotSealed(list[k]);
            Bid storage one = all[list[k]];
            (address who, uint256 back, Status status) = (one.who, one.escrow, one.status);
            if (status == Status.Settled) revert NotSealed(list[k]);
            one.status = Status.Settled;
            if (status == Status.Won) {
                back -= terms.price;
                nft.license(terms.token, who, terms.base + uint32(uint256(one.word) >> 128), terms.expires);
            } else if (status == Status.Sealed && terms.forfeitBps != 0) {
                uint256 forfeit = back * terms.forfeitBps / 10000;
                back -= forfeit;
                credit[terms.dao] += forfeit;
            }
            if (back != 0) credit[who] += back;
        }
    }

    /// An auction that nobody cleared in time is over: everyone gets everything back.
    function cancel(uint256 auction) external {
        Sale storage sale = sales[auction];
        if (sale.stage != Stage.Bidding) revert WrongStage();
        uint64 moment = sale.opensUntil + uint64(PATIENCE);
        if (block.timestamp <= moment) revert TooEarly(moment);
        sale.stage = Stage.NoTrade;
        emit NoTradeMade(auction);
    }

    /// Send the sender's credit to `to`; a second time moves 0.
    function withdraw(address payable to) external returns (uint256 amount) {
        amount = credit[msg.sender];
        credit[msg.sender] = 0;
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed();
    }

    /// The seal of a bid (EIP-712): bound to chain, contract, auction and bidder.
    function sealOf(uint256 auction, address who, uint256 total, bytes32 details, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(BID, auction, who, total, details, salt)));
    }

    function bidCount(uint256 auction) external view returns (uint256) {
        return bids[auction].length;
    }

    function askCount(uint256 auction) external view returns (uint256) {
        return askTokens[auction].length;
    }

    /// The seal of an ask (EIP-712): bound to chain, contract, auction, token and DAO.
    function _askSeal(uint256 auction, uint256 token, address dao, uint256 value, bytes32 salt)
        private
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(ASK, auction, token, dao, value, salt)));
    }

    function _onlyAuctioneer() private view {
        if (msg.sender != auctioneer) revert NotAuctioneer();
    }

    function _inBidding(uint256 auction) private view {
        Sale storage sale = sales[auction];
        if (sale.stage != Stage.Bidding) revert WrongStage();
        if (block.timestamp > sale.closes) revert TooLate(sale.closes);
    }

    function _inOpening(uint256 auction) private view {
        Sale storage sale = sales[auction];
        if (sale.stage != Stage.Bidding) revert WrongStage();
        if (block.timestamp <= sale.closes) revert TooEarly(sale.closes);
        if (block.timestamp > sale.opensUntil) revert TooLate(sale.opensUntil);
    }

    function _terms(uint256 auction) private view returns (Terms memory terms) {
        Sale storage sale = sales[auction];
        if (sale.stage != Stage.Cleared && sale.stage != Stage.NoTrade) revert WrongStage();
        terms.expires = sale.closes + sale.licenceSecs; // the same for all, whenever they are settled
        if (sale.stage == Stage.NoTrade) return terms;
        (terms.price, terms.token, terms.base) = (sale.price, sale.token, sale.base);
        terms.forfeitBps = sale.forfeitBps;
        terms.dao = asks[auction][terms.token].dao;
    }

    /// The token with the lowest opened ask and the price of its licences; token 0 where there is no trade. An ask is
    /// void where its DAO has not the token any more; equal asks stand in the order of their lots.
    function _price(uint256 auction, uint256 reserve, bytes32 draw) private view returns (uint256 token, uint256 price) {
        uint256 low = type(uint256).max;
        uint256 second = type(uint256).max;
        uint256 lot;
        uint256[] storage tokens = askTokens[auction];
        uint256 count_ = tokens.length;
        for (uint256 k; k < count_; ++k) {
            uint256 other = tokens[k];
            Ask storage one = asks[auction][other];
            uint256 value = one.value;
            if (value == 0 || nft.ownerOf(other) != one.dao) continue;
            unchecked {
                value -= 1;
            }
            uint256 itsLot = uint256(keccak256(abi.encode(draw, other)));
            if (value < low || (value == low && itsLot < lot)) {
                (second, low, token, lot) = (low, value, other, itsLot);
            } else if (value < second) {
                second = value;
            }
        }
        price = second < reserve ? second : reserve;
        if (low > price || price == type(uint128).max) token = 0;
    }

    function _rank(uint256 auction, uint256 price, bytes32 draw, bytes calldata order) private returns (uint256 rank) {
        Bid[] storage all = bids[auction];
        uint256 count_ = all.length;
        uint256 last = type(uint256).max;
        uint256 lastLot; // 0: not needed yet, for lots are only drawn between equals
        for (; rank < order.length; ++rank) {
            uint256 place = uint8(order[rank]);
            if (place >= count_) revert OutOfOrder(rank);
            Bid storage one = all[place];
            uint256 total = uint256(one.word);
            if (one.status != Status.Opened || total < price || total > last) revert OutOfOrder(rank);
            if (total == last) {
                uint256 lot = uint256(keccak256(abi.encode(draw, one.who)));
                if (lastLot == 0) lastLot = uint256(keccak256(abi.encode(draw, all[uint8(order[rank - 1])].who)));
                if (lot <= lastLot) revert OutOfOrder(rank);
                lastLot = lot;
            } else {
                lastLot = 0;
            }
            one.status = Status.Won;
            one.word = bytes32(total | (rank + 1) << 128);
            last = total;
        }
        uint256 left; // nobody who reaches the price may be left out
        for (uint256 k; k < count_; ++k) {
            if (all[k].status == Status.Opened && uint256(all[k].word) >= price) ++left;
        }
        if (left != 0) revert Incomplete(rank, rank + left);
    }
}
