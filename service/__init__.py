"""Serves the generators of models/ over HTTP: codes and a seed in, PNG out."""

import os

# ONNX Runtime reads it as it is imported, and would send what it does to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
