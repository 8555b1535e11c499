"""How good a generator is, measured beside real images."""

IMAGES = 10_000
"""Images that an evaluation draws, if nobody asks for another number."""
