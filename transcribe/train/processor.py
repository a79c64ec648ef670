"""What makes training fast on a processor: memory that is kept, and products in bfloat16."""

import ctypes

import torch

_GIGABYTE = 2**30
# glibc's malloc.h: when to give memory back, how much to take at once, from which size to map
# alone, and how many arenas there may be.
_MALLOC_OPTIONS = {-1: 2**31 - 1, -2: _GIGABYTE // 4, -3: _GIGABYTE, -8: 1}


def keep_memory() -> None:
    """Let the allocator keep what was freed: taking fresh pages for every tensor costs a fifth."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's; elsewhere nothing is gained or lost
        for parameter, value in _MALLOC_OPTIONS.items():
            libc.mallopt(parameter, value)


def precision(device: str) -> torch.dtype:
    """Return what products are computed in: bfloat16 where the machine multiplies it faster."""
    if device == "cpu":
        can = torch.cpu.get_capabilities()
        fast = can.get("avx512_bf16") or can.get("amx_bf16")
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
