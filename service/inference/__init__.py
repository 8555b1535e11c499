"""Generators and recognisers in ONNX Runtime, and the batches they draw."""
