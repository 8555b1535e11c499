"""From images to the bytes of an answer."""
