"""Serves the generators of models/ over HTTP: codes and a seed in, PNG out."""
