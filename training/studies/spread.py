"""How studies write figures over several seeds."""

from collections.abc import Sequence
from statistics import mean, stdev


def show_spread(shares: Sequence[float]) -> str:
    """The mean of shares in percent and, of several, their standard deviation."""
    if len(shares) == 1:
        return f"{shares[0]:.2%}"
    return f"{mean(shares):.2%} \N{PLUS-MINUS SIGN} {stdev(shares):.2%}"
