"""Decisions of few users and providers as compiled loops: the mathematics of `flnft_sim.game`, number by number.

NumPy spends half a microsecond on the call of each operation, and an exchange of ten users and ten providers is some
five hundred of them. What is computed and why is told where it is done for arrays: a function here has the name of the
one that it repeats. Tests hold both to the same results.

Only `engine` is for callers; importing it starts Numba, which takes half a second.
"""

MOST_USERS = 2_000
"""Beyond, arrays are as fast."""
