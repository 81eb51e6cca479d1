// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// Who keeps money for others: FlNft and SealedAuction both fit.
interface IPays {
    function withdraw(address payable to) external returns (uint256);
}

interface IAuction {
    function ask(uint256 auction, uint256 token, bytes32 seal) external;
}

/// The members of a DAO propose asks, judge one another's, and pull their parts of what the DAO received.
///
/// A member's part of a receipt T is floor(T c2 / W) - floor(T c1 / W), where [c1, c2) is its interval of the weights
/// 0 … W, in whole units of 10^12 wei: the parts add up to T to the wei, without a loop. The intervals are committed to by a Merkle root.
contract MuDao {
    struct Vote {
        uint48 ends;
        bool tallied;
        uint16 needed; // approvals with which an ask stands
        uint184 weight;
        bytes32 root;
        uint256 total;
    }

    struct Receipt {
        uint96 amount;
        uint96 paid;
        uint64 vote;
    }

    event Joined(address indexed member, uint256 place);
    event VoteStarted(uint256 indexed vote, uint64 ends, uint256 needed);
    event Proposed(uint256 indexed vote, uint256 indexed place, uint256 ask);
    event Voted(uint256 indexed vote, uint256 indexed place, uint256 approvals);
    event Tallied(uint256 indexed vote, uint256 total, uint256 approved, bytes32 root, uint256 weight);
    event Received(uint256 indexed receipt, uint256 indexed vote, uint256 amount);
    event Claimed(uint256 indexed receipt, uint256 indexed place, address to, uint256 amount);

    error NotExecutor();
    error NotMember();
    error Twice();
    error TooEarly(uint64 moment);
    error TooLate(uint64 moment);
    error NotTallied();
    error BadProof();
    error Full();
    error TooMuch();
    error TransferFailed();

    uint256 private constant UNIT = 1e12; // wei: the market counts money in units of these

    /// The DAO's representative: it starts and counts votes, submits asks, and says which vote shares what it collects.
    address public immutable executor;
    uint256 public immutable members;

    mapping(address member => uint256) public placeOf; // + 1
    uint256 public votes;
    mapping(uint256 vote => Vote) public voteOf;
    mapping(uint256 vote => uint256[16]) private counts; // approvals, 16 members a slot
    mapping(uint256 vote => mapping(uint256 place => uint256)) public asks; // ask + 1
    mapping(uint256 vote => uint256) public voted; // a bit a member
    Receipt[] public receipts;
    mapping(uint256 receipt => mapping(uint256 word => uint256)) public claimed;

    /// Without members in the list, votes are held elsewhere, and the executor posts what came of them.
    constructor(address[] memory list) {
        if (list.length > 256) revert Full();
        executor = msg.sender;
        members = list.length;
        for (uint256 k; k < list.length; ++k) {
            if (placeOf[list[k]] != 0) revert Twice();
            placeOf[list[k]] = k + 1;
            emit Joined(list[k], k);
        }
    }

    receive() external payable {}

    modifier onlyExecutor() {
        _onlyExecutor();
        _;
    }

    /// Start a vote: proposals and approvals are taken until `ends`, and an ask stands by `needed_` approvals, for not
    /// every member has a part in what is sold.
    function startVote(uint48 ends, uint16 needed_) external onlyExecutor returns (uint256 vote_) {
        vote_ = ++votes;
        (voteOf[vote_].ends, voteOf[vote_].needed) = (ends, needed_);
        emit VoteStarted(vote_, ends, needed_);
    }

    function propose(uint256 vote_, uint256 ask) external {
        uint256 place = _placeInTime(vote_);
        if (asks[vote_][place] != 0) revert Twice();
        if (ask > type(uint128).max) revert TooMuch();
        asks[vote_][place] = ask + 1;
        emit Proposed(vote_, place, ask);
    }

    /// Bit k of `approvals` approves member k's ask; the own bit is ignored.
    function vote(uint256 vote_, uint256 approvals) external {
        uint256 place = _placeInTime(vote_);
        uint256 seen = voted[vote_];
        uint256 bit = 1 << place;
        if (seen & bit != 0) revert Twice();
        voted[vote_] = seen | bit;
        approvals &= ~bit;
        uint256 slots = (members + 15) / 16;
        for (uint256 s; s < slots; ++s) {
            uint256 part = approvals >> (s * 16) & 0xffff;
            if (part == 0) continue;
            uint256 add;
            for (uint256 k; k < 16; ++k) {
                add |= (part >> k & 1) << (k * 16);
            }
            counts[vote_][s] += add; // lanes of 16 bits hold at most 255 approvals: no carry
        }
        emit Voted(vote_, place, approvals);
    }

    /// Count a vote that has ended: the DAO's ask is the sum of those that stand. `root` commits to the members'
    /// intervals of 0 … `weight`.
    function tally(uint256 vote_, bytes32 root, uint184 weight) external onlyExecutor returns (uint256 total) {
        uint256 approved;
        uint256 needed = voteOf[vote_].needed;
        for (uint256 k; k < members; ++k) {
            uint256 ask = asks[vote_][k];
            if (ask == 0) continue;
            if (counts[vote_][k / 16] >> (k % 16 * 16) & 0xffff < needed) continue;
            total += ask - 1;
            ++approved;
        }
        _close(vote_, root, weight, total, approved);
    }

    /// What came of a vote that was held elsewhere; only in a DAO that was made without members.
    function post(uint256 vote_, bytes32 root, uint184 weight, uint256 total) external onlyExecutor {
        if (members != 0) revert NotMember();
        _close(vote_, root, weight, total, 0);
    }

    /// Offer a token of the DAO in an auction, at a sealed ask.
    function submitAsk(IAuction market, uint256 auction, uint256 token, bytes32 seal) external onlyExecutor {
        market.ask(auction, token, seal);
    }

    /// Fetch what somebody keeps for the DAO; it is shared by `vote_`'s weights.
    function collect(IPays from, uint256 vote_) external onlyExecutor returns (uint256 receipt) {
        if (!voteOf[vote_].tallied) revert NotTallied();
        uint256 before = address(this).balance;
        from.withdraw(payable(address(this)));
        uint256 amount = address(this).balance - before;
        if (amount > type(uint96).max) revert TooMuch();
        receipt = receipts.length;
        receipts.push(Receipt(uint96(amount), 0, uint64(vote_)));
        emit Received(receipt, vote_, amount);
    }

    /// Pay the member at `place` its part of a receipt; anyone may call. A receipt never pays more than itself, whatever
    /// the root says.
    function claim(uint256 receipt, uint256 place, address payable to, uint256 c1, uint256 c2, bytes32[] calldata proof)
        external
    {
        uint256 vote_ = receipts[receipt].vote;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(place, to, c1, c2))));
        if (!MerkleProof.verifyCalldata(proof, voteOf[vote_].root, leaf)) revert BadProof();
        _claimOnce(receipt, place);
        uint256 amount = _pay(receipts[receipt], voteOf[vote_].weight, c1, c2);
        emit Claimed(receipt, place, to, amount);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed();
    }

    function receiptCount() external view returns (uint256) {
        return receipts.length;
    }

    function _onlyExecutor() private view {
        if (msg.sender != executor) revert NotExecutor();
    }

    function _placeInTime(uint256 vote_) private view returns (uint256 place) {
        place = placeOf[msg.sender];
        if (place == 0) revert NotMember();
        --place;
        if (block.timestamp > voteOf[vote_].ends) revert TooLate(voteOf[vote_].ends);
    }

    function _claimOnce(uint256 receipt, uint256 place) private {
        uint256 word = claimed[receipt][place / 256];
        uint256 bit = 1 << (place % 256);
        if (word & bit != 0) revert Twice();
        claimed[receipt][place / 256] = word | bit;
    }

    /// The part of a receipt that falls on [c1, c2), booked as paid.
    function _pay(Receipt storage one, uint256 weight, uint256 c1, uint256 c2) private returns (uint256 amount) {
        uint256 received = one.amount;
        amount = _upTo(received, c2, weight) - _upTo(received, c1, weight);
        uint256 paid = one.paid + amount;
        if (paid > received) revert TooMuch();
        one.paid = uint96(paid);
    }

    function _close(uint256 vote_, bytes32 root, uint184 weight, uint256 total, uint256 approved) private {
        Vote storage one = voteOf[vote_];
        if (vote_ == 0 || vote_ > votes) revert NotTallied();
        if (one.tallied) revert Twice();
        if (block.timestamp <= one.ends) revert TooEarly(one.ends);
        if (weight == 0) revert BadProof();
        one.tallied = true;
        one.weight = weight;
        one.root = root;
        one.total = total;
        emit Tallied(vote_, total, approved, root, weight);
    }

    /// What all up to `c` get together; who stands last gets what is no whole unit, too.
    function _upTo(uint256 received, uint256 c, uint256 weight) private pure returns (uint256) {
        return c == weight ? received : received / UNIT * c / weight * UNIT;
    }
}
