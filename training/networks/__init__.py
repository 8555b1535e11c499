"""The networks, and the latents they draw from."""
