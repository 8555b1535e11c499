"""The way back: from an uploaded picture to codes."""
