"""The networks, and the latents from which they draw."""
