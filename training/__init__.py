"""Trains GAN and InfoGAN generators, measures them, and exports each to one ONNX file."""

import os

# ONNX Runtime reads it as it is imported, and would send what it does to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
