"""Secure aggregation: what it takes that n users' vectors are seen by nobody but as their sum.

Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning" (2017), honest but curious:
users exchange keys, then shares of their secrets, then send their vectors under masks that cancel in the sum, and at
last reveal the shares that take off what did not cancel, because somebody dropped out. Four rounds, and below the
threshold no sum at all. Keys and shares have 256 bits, as in the publication, whose bytes these are; what encryption
and framing add to a message (some 30 bytes) is left out there and here.
"""

from dataclasses import dataclass

from flnft_sim.checks import whole

KEY_BITS = SHARE_BITS = 256
AGREEMENT_CYCLES = 150_000  # of one X25519 key agreement on a 64-bit core
MASK_CYCLES_PER_BYTE = 2.0  # AES in counter mode with the processor's own instructions, and adding it up


@dataclass(frozen=True)
class SecureSum:
    """One sum of the vectors of `users`, each of `words` whole numbers of `word_bits` bits.

    Bits are those that one user sends, in each of the four rounds; cycles are of one core. Sharing and recovering
    secrets costs O(n²) operations on 256 bits, below the key agreements up to a thousand users, and is left out.
    """

    users: int
    words: int
    word_bits: int

    def __post_init__(self) -> None:
        whole("users", self.users, least=1)
        whole("words", self.words, least=1)
        whole("word_bits", self.word_bits, least=1, most=64)

    @property
    def sum_bits(self) -> int:
        """Bits that a word of the sum needs, and so every masked one: ⌈log₂(n·(2^b − 1) + 1)⌉."""
        return (self.users * (2**self.word_bits - 1)).bit_length()

    @property
    def key_bits(self) -> int:
        """Round 1: two public keys, to encrypt shares and to agree on masks."""
        return 2 * KEY_BITS

    @property
    def share_bits(self) -> int:
        """Round 2: for every other user a share of both secrets, the mask key and the seed of the own mask."""
        return 2 * (self.users - 1) * SHARE_BITS

    @property
    def masked_bits(self) -> int:
        """Round 3: the masked vector."""
        return self.words * self.sum_bits

    @property
    def reveal_bits(self) -> int:
        """Round 4: one share of every user, of the seed if it has delivered and of the key if not."""
        return self.users * SHARE_BITS

    @property
    def expansion(self) -> float:
        """All that a user sends and receives, as a multiple of its vector in the clear; downwards are keys and shares.

        That is (2n·256 + (5n − 4)·256 + words·⌈log₂ R⌉) / (words·b) bits.
        """
        received = 2 * (self.users - 1) * (KEY_BITS + SHARE_BITS)
        sent = self.key_bits + self.share_bits + self.masked_bits + self.reveal_bits
        return (sent + received) / (self.words * self.word_bits)

    @property
    def agreement_cycles(self) -> float:
        """A user's key agreements, two with every other one."""
        return 2.0 * (self.users - 1) * AGREEMENT_CYCLES

    @property
    def masking_cycles(self) -> float:
        """A user's masks: one with every other user, and its own."""
        return self.users * self._mask_cycles

    def unmasking_cycles(self, delivered: int) -> float:
        """Who sums takes off the own mask of each that delivered, and of who did not the masks with each that did."""
        missing = self.users - whole("delivered", delivered, least=0, most=self.users)
        return (delivered + missing * delivered) * self._mask_cycles

    @property
    def _mask_cycles(self) -> float:
        return self.words * self.sum_bits / 8 * MASK_CYCLES_PER_BYTE
