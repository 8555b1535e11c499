"""Training: steps, checkpoints, and the folder of a run."""
