"""From a run to ONNX files, and what is drawn from them."""
