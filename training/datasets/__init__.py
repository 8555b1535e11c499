"""Real images as tensors."""
