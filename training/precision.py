"""How precisely layers multiply while networks learn."""

import torch


def fast_precision(device: torch.device) -> torch.dtype:
    """Return the precision of products on this device: bfloat16 if it is a processor that has instructions for it."""
    fast = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def multiplying(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Return a context in which layers multiply in this precision; weights, and their sums, stay float32."""
    # Without a cache: weights may move within the context.
    return torch.autocast(device.type, precision, enabled=precision is not torch.float32, cache_enabled=False)
