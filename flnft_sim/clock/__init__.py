"""What waits on the clock: SimPy processes that know neither Mesa nor scenarios.

The public chain, a DAO's ledger, the radio cell and a crowd's round; what they wait for is computed below.
"""
