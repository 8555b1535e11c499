"""How good a generator is, measured beside real images."""
