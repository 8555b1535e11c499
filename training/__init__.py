"""Trains GAN and InfoGAN generators, measures them, and exports each to one ONNX file."""
