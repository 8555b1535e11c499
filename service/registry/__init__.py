"""Which generators are served, as the files of the models folder change."""
