"""The memory of this process: what it does with that which it frees, and how it says that there is no more."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)
NO_MORE = ("DefaultCPUAllocator: ", "out of memory", "_ALLOC_FAILED", "could not create a memory object")  # torch, MPS, cuBLAS, oneDNN


def keep_freed_memory() -> None:
    """From now on this process keeps the memory it frees, for what it allocates next; only where the C library is glibc.

    Else each large tensor comes as fresh pages that the system fills with zeros first, and goes back after use: on a CPU that is a fifth
    of the time of a training step with batches of thousands of pictures, and a fortieth of that of Inception.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # Windows, macOS, musl
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was no memory left: only on CUDA has torch an error of its own for that, and torch need not be imported here."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MORE)
