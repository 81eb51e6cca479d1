"""Where these loops are kept once they are compiled, and the rows of the arrays that they share."""

from pathlib import Path

from flnft_sim.compiled import Kept

KEPT = Kept(Path(__file__).parent)

# What is known of users (8, N) …
QUALITY, FIXED_S, EPOCH_S, COMPUTE, PRIVACY, MOST, LEAST_PRIVACY, MOST_PRIVACY = range(8)
# … what they answer (10, N) …
FORESEEN, REWARD, QUALITY_REWARD, QUALITY_SHARE, FRESHNESS_SHARE = range(5)
BEST_EPOCHS, BEST_PRIVACY, UTILITY, FORMER_FORESEEN, FORMER_PRIVACY = range(5, 10)
# … who may take part, who does, and who did the exchange before (3, N).
CANDIDATE, TAKES_PART, TOOK_PART = range(3)
# What is known of providers (8, M), and their prices and money (8, M).
WORTH_Q, WORTH_F, BUDGET, RATIO, BELIEVED_Q, BELIEVED_F, INSISTED_Q, INSISTED_F = range(8)
PRICE_Q, PRICE_F, MONEY_Q, MONEY_F, FORMER_Q, FORMER_F, RIVALS_Q, RIVALS_F = range(8)
