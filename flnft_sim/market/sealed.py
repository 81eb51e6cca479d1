"""Sealed bids: signed by the bidder, bound to one window of one auction, encrypted to the auctioneer, of one length.

A bid travels as libsodium's sealed box (X25519, XSalsa20-Poly1305) around `message ‖ Ed25519 signature`. The message
names the auction, the window and the bidder, so it is worth nothing in another auction, after a rebid or under another
name. Its nonce orders the bids of one bidder: whoever holds a ciphertext back cannot undo a later bid with it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import isfinite
from typing import Any, ClassVar

from nacl.encoding import RawEncoder
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.hash import blake2b
from nacl.public import Box, PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey, VerifyKey

from flnft_sim.errors import FlnftError, InputError
from flnft_sim.ledger.keccak import keccak

_FIELD_BYTES = 64
_VERSION = b"flnft-bid-v2"
# version, auction, bidder, quality price, freshness price, total, nonce, window: one length whatever they hold
_MESSAGE = struct.Struct(f">{len(_VERSION)}s{_FIELD_BYTES}s{_FIELD_BYTES}sddqQQ")
_KEY_BYTES, _SIGNATURE_BYTES, _TAG_BYTES = 32, 64, 16  # two of Ed25519, and of Poly1305


@dataclass(frozen=True)
class Bid:
    """What a provider offers for one licence in one auction.

    Nothing is checked here: a cheat can write anything into a bid, and the auctioneer is who checks.
    """

    auction_id: str
    bidder: str
    """Address of the bidder."""
    quality_price: float
    """q_j: money per unit of quality satisfaction."""
    freshness_price: float
    """f_j: money per unit of freshness."""
    total: int
    """The bid itself, q·Q^λ + f·F in units of 10⁻⁶ money."""
    nonce: int
    """Greater than that of every bid which this bidder made in this auction before."""
    window: int = field(default=0, kw_only=True)
    """Which of the auction's windows it is for: 0 for the first, n for that of the n-th rebid."""


class RejectionReason(StrEnum):
    """Every reason to reject a sealed bid."""

    LATE = "late"
    UNDECRYPTABLE = "undecryptable"
    UNKNOWN_BIDDER = "unknown bidder"
    BAD_SIGNATURE = "bad signature"
    WRONG_AUCTION = "wrong auction"
    WRONG_WINDOW = "wrong window"
    REPLAYED_NONCE = "replayed nonce"
    OUTDATED_NONCE = "outdated nonce"
    NOT_FINITE = "not finite"
    NEGATIVE = "negative"
    OVER_BUDGET = "over budget"


class BidRejected(FlnftError):
    """A sealed bid that does not count. `bidder` is the name it carries, which only a valid signature makes true.

    The reason is one of `RejectionReason`, or in the words of the contract that refused it.
    """

    def __init__(self, reason: str, bidder: str | None = None) -> None:
        super().__init__(reason, bidder)
        self.reason, self.bidder = reason, bidder

    def __str__(self) -> str:
        return f"sealed bid of {self.bidder or 'an unknown sender'} rejected: {self.reason}"


class BidStatus(StrEnum):
    """What has become of a sealed bid."""

    SEALED = "sealed"
    ACCEPTED = "accepted"
    REPLACED = "replaced"
    REJECTED = "rejected"


@dataclass
class BookEntry:
    """One line of the book: a ciphertext while sealed, a bid or the reason of its rejection once opened."""

    sender: str
    sealed: "bytes | Envelope"
    sealed_at_s: float | None = None
    in_block_s: float | None = None
    """When it arrived, by its block's timestamp; None while it is on its way."""
    bid: Bid | None = None
    status: BidStatus = BidStatus.SEALED
    rejection: BidRejected | None = None
    answer: Any = None
    """What the auction's contract answered, where one is executed."""

    @property
    def reason(self) -> str:
        """Why it was rejected, "" where it was not."""
        return "" if self.rejection is None else str(self.rejection.reason)


@dataclass(frozen=True)
class SealSecret:
    """What binds a sealed bid on a chain and only its bidder and the auctioneer know: see `secret_of`."""

    total: int
    """The bid, in units."""
    details: bytes
    """The Keccak-256 of all that the bid says."""
    salt: bytes
    """The Keccak-256 of the bid's signature, which nobody can guess."""


class SealedBids:
    """The book of one auction: takes in sealed bids, opens them and says which count.

    `private_key` is 32 bytes, kept by the auctioneer and never used for another auction; `verify_keys` maps every
    registered bidder's address to its Ed25519 verify key (32 bytes), `budgets` to the units it may bid at most.
    """

    def __init__(
        self,
        auction_id: str,
        *,
        private_key: bytes,
        verify_keys: Mapping[str, bytes],
        budgets: Mapping[str, int],
    ) -> None:
        missing = [address for address in verify_keys if address not in budgets]
        if missing:
            raise InputError(f"bidder {missing[0]} of auction {auction_id} has no budget; give one, 0 if it is none")
        _fixed(auction_id, "auction id")
        self.auction_id = auction_id
        self.book: list[BookEntry] = []
        """Every ciphertext, in the order of sending."""
        self._key = PrivateKey(private_key)
        self._box = SealedBox(self._key)
        self._verify_keys = {address: bytes(key) for address, key in verify_keys.items()}
        for address, key in self._verify_keys.items():
            if len(key) != _KEY_BYTES:
                raise InputError(f"the verify key of {address} has {len(key)} bytes; give the {_KEY_BYTES} of Ed25519")
        self._budgets = dict(budgets)
        self._counting: dict[str, BookEntry] = {}  # by bidder, in the order of their first one
        self._seen: set[tuple[str, int]] = set()  # bidder and nonce of every authentic bid, whatever became of it
        self._newest: dict[str, int] = {}  # the greatest of these nonces, by bidder

    @property
    def public_key(self) -> bytes:
        """The 32 bytes bidders encrypt to."""
        return bytes(self._key.public_key)

    @property
    def bids(self) -> dict[str, Bid]:
        """The bid of each bidder that counts now, in the order of their first one."""
        return {bidder: entry.bid for bidder, entry in self._counting.items() if entry.bid is not None}

    @property
    def replaced(self) -> list[Bid]:
        """Bids that counted once and do not any more."""
        return [entry.bid for entry in self.book if entry.status is BidStatus.REPLACED and entry.bid is not None]

    @property
    def rejected(self) -> list[BidRejected]:
        """Why bids were rejected."""
        return [entry.rejection for entry in self.book if entry.rejection is not None]

    def receive(self, sealed: "bytes | Envelope", *, sender: str = "", sealed_at_s: float | None = None) -> BookEntry:
        """Write a ciphertext that is on its way into the book; who takes it into a block sets its `in_block_s`."""
        self.book.append(BookEntry(sender, sealed, sealed_at_s))
        return self.book[-1]

    def open_window(self, window: int, *, closes_s: float) -> None:
        """Open, in the order of arrival, all that is sealed still; what a block does not hold stays sealed."""
        arrived = [entry for entry in self.book if entry.status is BidStatus.SEALED and entry.in_block_s is not None]
        for entry in sorted(arrived, key=lambda entry: entry.in_block_s or 0.0):
            self._decide(entry, closes_s=closes_s, window=window)

    def told(self, sealed: bytes) -> tuple[Bid, SealSecret] | None:
        """What a ciphertext says and what binds it, whoever made it; None where it cannot be read."""
        try:
            opened = self._box.decrypt(sealed)
            message, signature = opened[: _MESSAGE.size], opened[_MESSAGE.size :]
            bid = _unpack(message)
            return bid, _secret(bid, message, signature)
        except (CryptoError, TypeError, ValueError, struct.error):
            return None

    def reopen(self) -> None:
        """Let no bid count any more, before bidders bid again."""
        for entry in self._counting.values():
            entry.status = BidStatus.REPLACED
        self._counting.clear()

    def open(
        self,
        sealed: "bytes | Envelope",
        *,
        now_s: float | None = None,
        closes_s: float | None = None,
        window: int = 0,
    ) -> Bid:
        """Decrypt and check a bid that arrives in `window`; a newer valid bid of the same bidder replaces the older.

        Newer is what has the greater nonce. A nonce counts as seen once its bidder is known to have made the bid for
        this window, also where the bid is then rejected, as late for instance: no older one is taken after it.

        Raises `BidRejected` with its reason, also kept in the book. A bid that arrives at the closing instant itself
        is in time; without both instants nothing is late. A clock that is not finite raises `InputError` before the
        bid is looked at.
        """
        self._check_clock(now_s=now_s, closes_s=closes_s)
        entry = self.receive(sealed, sealed_at_s=now_s)
        entry.in_block_s = now_s
        self._decide(entry, closes_s=closes_s, window=window)
        if entry.rejection is not None:
            raise entry.rejection
        assert entry.bid is not None  # what is not rejected has been opened
        return entry.bid

    def _decide(self, entry: BookEntry, *, closes_s: float | None, window: int) -> None:
        """Open one entry, and say what becomes of it and of what counted before."""
        now_s = entry.in_block_s
        self._check_clock(now_s=now_s, closes_s=closes_s)
        try:
            entry.bid = bid = self._authentic(entry.sealed, window)
            self._check_order(bid)
            if now_s is not None and closes_s is not None and now_s > closes_s:
                raise BidRejected(RejectionReason.LATE, bid.bidder)
            self._check_content(bid)
        except BidRejected as rejection:
            entry.status, entry.bid, entry.rejection = BidStatus.REJECTED, None, rejection
            return
        if bid.bidder in self._counting:
            self._counting[bid.bidder].status = BidStatus.REPLACED
        entry.status = BidStatus.ACCEPTED
        self._counting[bid.bidder] = entry

    def _check_clock(self, **instants_s: float | None) -> None:
        """NaN is later than nothing, so a broken clock would let every bid in."""
        for name, instant_s in instants_s.items():
            if instant_s is not None and not isfinite(instant_s):
                raise InputError(
                    f"{name} of a sealed bid in auction {self.auction_id} is {instant_s}; give finite seconds, "
                    "or none where nothing is late"
                )

    def _authentic(self, sealed: "bytes | Envelope", window: int) -> Bid:
        """The bid, if its registered bidder made it for this window of this auction."""
        bid = self._handed_over(sealed) or self._decrypted(sealed)
        if bid.auction_id != self.auction_id:
            raise BidRejected(RejectionReason.WRONG_AUCTION, bid.bidder)
        if bid.window != window:
            raise BidRejected(RejectionReason.WRONG_WINDOW, bid.bidder)
        return bid

    def _handed_over(self, sealed: "bytes | Envelope") -> Bid | None:
        """The bid of an envelope that a registered bidder has made for this auctioneer: it would decrypt and verify."""
        if not isinstance(sealed, Envelope) or sealed.recipient != self.public_key:
            return None
        registered = self._verify_keys.get(sealed.bid.bidder)
        return sealed.bid if registered == bytes(sealed.signing_key.verify_key) else None

    def _decrypted(self, sealed: "bytes | Envelope") -> Bid:
        try:
            opened = self._box.decrypt(bytes(sealed) if isinstance(sealed, Envelope) else sealed)
            bid = _unpack(opened[: _MESSAGE.size])
        except (CryptoError, TypeError, ValueError, struct.error):
            raise BidRejected(RejectionReason.UNDECRYPTABLE) from None
        if bid.bidder not in self._verify_keys:
            raise BidRejected(RejectionReason.UNKNOWN_BIDDER, bid.bidder)
        try:
            VerifyKey(self._verify_keys[bid.bidder]).verify(opened[: _MESSAGE.size], opened[_MESSAGE.size :])
        except (BadSignatureError, ValueError):
            raise BidRejected(RejectionReason.BAD_SIGNATURE, bid.bidder) from None
        return bid

    def _check_order(self, bid: Bid) -> None:
        """Let nothing pass that is not newer than all that was seen of its bidder, and remember it as seen.

        Only bids for this window come here: one for another must not use up nonces of this.
        """
        use, newest = (bid.bidder, bid.nonce), self._newest.get(bid.bidder, -1)
        if use in self._seen:
            raise BidRejected(RejectionReason.REPLAYED_NONCE, bid.bidder)
        self._seen.add(use)
        if bid.nonce < newest:
            raise BidRejected(RejectionReason.OUTDATED_NONCE, bid.bidder)
        self._newest[bid.bidder] = bid.nonce

    def _check_content(self, bid: Bid) -> None:
        if not (isfinite(bid.quality_price) and isfinite(bid.freshness_price)):
            raise BidRejected(RejectionReason.NOT_FINITE, bid.bidder)
        if min(bid.quality_price, bid.freshness_price, bid.total) < 0:
            raise BidRejected(RejectionReason.NEGATIVE, bid.bidder)
        if bid.total > self._budgets[bid.bidder]:
            raise BidRejected(RejectionReason.OVER_BUDGET, bid.bidder)


class Envelope:
    """A sealed bid from its maker's own hand: what it hides is written and encrypted when somebody reads the bytes.

    All have the length `SIZE`. Raises `InputError` where a field of the bid does not fit.
    """

    SIZE: ClassVar[int] = PublicKey.SIZE + _MESSAGE.size + _SIGNATURE_BYTES + _TAG_BYTES

    def __init__(
        self, bid: Bid, signing_key: SigningKey, auction_public_key: PublicKey | bytes, *, entropy: bytes
    ) -> None:
        self.bid = _unpack(_pack(bid))  # as it will be read
        self.signing_key, self.recipient, self._entropy = signing_key, bytes(auction_public_key), entropy

    def __bytes__(self) -> bytes:
        return self._ciphertext

    @cached_property
    def _ciphertext(self) -> bytes:
        return seal(self.bid, self.signing_key, self.recipient, entropy=self._entropy)

    @property
    def secret(self) -> SealSecret:
        """What its bidder seals on a chain."""
        return secret_of(self.bid, self.signing_key)


def seal(
    bid: Bid,
    signing_key: SigningKey | bytes,
    auction_public_key: PublicKey | bytes,
    *,
    entropy: bytes | None = None,
) -> bytes:
    """Sign a bid and encrypt it to the auctioneer; all sealed bids have the same length.

    The ephemeral key comes from the operating system, or from `entropy` (at least 16 bytes) where a simulation must
    repeat its bytes; the bid itself is hashed in, so that one entropy never serves two different bids. Raises
    `InputError` where a field does not fit.
    """
    message = _pack(bid)
    signer = signing_key if isinstance(signing_key, SigningKey) else SigningKey(signing_key)
    recipient = PublicKey(bytes(auction_public_key))
    signed = message + signer.sign(message).signature
    if entropy is None:
        return SealedBox(recipient).encrypt(signed)
    if len(entropy) < 16:
        raise InputError(f"the entropy of a sealed bid has {len(entropy)} bytes; give at least 16")
    # What libsodium's crypto_box_seal does, with the ephemeral key given instead of drawn:
    # ephemeral_pk ‖ box(message, recipient_pk, ephemeral_sk, nonce = blake2b(ephemeral_pk ‖ recipient_pk)).
    ephemeral = PrivateKey(_hash(entropy + signed, PrivateKey.SIZE))
    nonce = _hash(bytes(ephemeral.public_key) + bytes(recipient), Box.NONCE_SIZE)
    return bytes(ephemeral.public_key) + Box(ephemeral, recipient).encrypt(signed, nonce).ciphertext


def secret_of(bid: Bid, signing_key: SigningKey | bytes) -> SealSecret:
    """What the bidder seals on a chain beside the bid's total; the auctioneer finds it in the ciphertext."""
    message = _pack(bid)
    signer = signing_key if isinstance(signing_key, SigningKey) else SigningKey(signing_key)
    return _secret(bid, message, signer.sign(message).signature)


def _secret(bid: Bid, message: bytes, signature: bytes) -> SealSecret:
    return SealSecret(bid.total, details=keccak(message), salt=keccak(signature))


def _hash(data: bytes, size: int) -> bytes:
    return blake2b(data, digest_size=size, encoder=RawEncoder)


def _pack(bid: Bid) -> bytes:
    try:
        return _MESSAGE.pack(
            _VERSION,
            _fixed(bid.auction_id, "auction id"),
            _fixed(bid.bidder, "bidder address"),
            bid.quality_price,
            bid.freshness_price,
            bid.total,
            bid.nonce,
            bid.window,
        )
    except struct.error as error:
        raise InputError(
            f"a number of {bid} does not fit into a sealed bid ({error}); prices are floats, "
            "total, nonce and window integers"
        ) from None


def _unpack(message: bytes) -> Bid:
    version, auction, bidder, *numbers, window = _MESSAGE.unpack(message)
    if version != _VERSION:
        raise ValueError("not a bid of this version")
    return Bid(auction.rstrip(b"\0").decode(), bidder.rstrip(b"\0").decode(), *numbers, window=window)


def _fixed(text: str, what: str) -> bytes:
    data = text.encode()
    if not 0 < len(data) <= _FIELD_BYTES or b"\0" in data:
        raise InputError(f"the {what} {text!r} of a bid takes {len(data)} bytes; give 1 to {_FIELD_BYTES} without NUL")
    return data
