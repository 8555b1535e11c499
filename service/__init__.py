"""Serves the generators of models/ over HTTP: codes and a seed in, PNG out."""

import os

# ONNX Runtime reads this when it is imported; otherwise it reports its use to its makers.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
