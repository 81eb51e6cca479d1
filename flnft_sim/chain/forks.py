"""The rule books of the EVM by name, and what a transaction costs by them before it does anything."""

from collections.abc import Sequence

from flnft_sim.errors import UnknownNameError

FORKS = (
    "byzantium",
    "constantinople",
    "petersburg",
    "istanbul",
    "muir_glacier",
    "berlin",
    "london",
    "arrow_glacier",
    "gray_glacier",
    "paris",
    "shanghai",
    "cancun",
    "prague",
)
"""From the oldest to the newest; a fork has the rules of all before it but where it changes them."""

NEWEST = "prague"
_OTHER_NAMES = {"merge": "paris", "themerge": "paris"}

TX_GAS, CREATE_GAS = 21_000, 32_000
_TOKENS_PER_BYTE, _GAS_PER_TOKEN, _FLOOR_PER_TOKEN = 4, 4, 10
_MAX_CODE = 24_576

type AccessList = Sequence[tuple[str, Sequence[int]]]
"""Addresses with the storage slots of each that a transaction says beforehand it will touch (EIP-2930)."""


def fork_name(name: str) -> str:
    """Return the name of a fork as it stands in `FORKS`; raises `UnknownNameError` for another."""
    plain = {fork.replace("_", ""): fork for fork in FORKS} | _OTHER_NAMES
    found = plain.get(str(name).lower().replace("_", "").replace("-", "").replace(" ", ""))
    if found is None:
        raise UnknownNameError("fork", name, FORKS)
    return found


def since(fork: str, other: str) -> bool:
    """Say whether the rules of `other` hold at `fork`."""
    return FORKS.index(fork) >= FORKS.index(other)


def intrinsic_gas(fork: str, data: bytes, *, creates: bool, access_list: AccessList = ()) -> int:
    """Return the gas that a transaction takes before its first instruction.

    Yellow paper, appendix G; EIP-2028 (data), 2930 (access lists), 3860 (init code).
    """
    per_byte = _TOKENS_PER_BYTE * _GAS_PER_TOKEN if since(fork, "istanbul") else 68
    zeros = data.count(0)
    gas = TX_GAS + _GAS_PER_TOKEN * zeros + per_byte * (len(data) - zeros)
    if creates:
        gas += CREATE_GAS + init_code_gas(fork, data)
    return gas + sum(2_400 + 1_900 * len(slots) for _, slots in access_list)


def init_code_gas(fork: str, code: bytes) -> int:
    """Return the gas that the code of a creation takes for its length (EIP-3860); 0 before Shanghai."""
    return 2 * -(-len(code) // 32) if since(fork, "shanghai") else 0


def floor_gas(fork: str, data: bytes) -> int:
    """Return the least gas that a transaction is charged for its data (EIP-7623); 0 before Prague."""
    if not since(fork, "prague"):
        return 0
    zeros = data.count(0)
    return TX_GAS + _FLOOR_PER_TOKEN * (zeros + _TOKENS_PER_BYTE * (len(data) - zeros))


def most_init_code(fork: str) -> int | None:
    """Return how many bytes a creation's code may have (EIP-3860); None where the fork knows no limit."""
    return 2 * _MAX_CODE if since(fork, "shanghai") else None
