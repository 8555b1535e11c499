"""The Open Inference Protocol, version 2, over REST: what KServe's and Triton's clients speak.

https://github.com/kserve/open-inference-protocol, and its extension for binary tensors,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md.
"""
