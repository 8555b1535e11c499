"""The measures of what a generator draws: each says something that the others do not."""
