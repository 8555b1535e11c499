"""Trains GAN and InfoGAN generators, measures them, and exports each to one ONNX file."""

import os

# ONNX Runtime reads this when it is imported; otherwise it reports its use to its makers.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
