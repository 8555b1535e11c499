"""What a run is made of: presets, objectives, penalties."""
