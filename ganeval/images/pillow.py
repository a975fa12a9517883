"""How Pillow is while ganeval decodes: strict, silent and sparing, whatever the program around it has set."""

from __future__ import annotations

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from PIL import Image, ImageFile, _imaging

from ganeval.images.decode import MAX_PIXELS

_lock = threading.Lock()
_passes = 0  # that decode now; the first sets, the last restores
_set = ExitStack()


@contextmanager
def decoding() -> Iterator[None]:
    """A truncated file is an error, and what Pillow and libtiff say of a damaged one, without its name, is not printed."""
    global _passes
    with _lock:
        _passes += 1
        if _passes == 1:
            for setting in (_strict, _in_one_piece, _without_warnings, _log_unprinted, _libtiff_silent):
                _set.enter_context(setting())
    try:
        yield
    finally:
        with _lock:
            _passes -= 1
            if _passes == 0:
                _set.close()


@contextmanager
def _strict() -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    # Many a training script loads truncated files: half a picture would be scored, the rest of it gray.
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = False, MAX_PIXELS
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


@contextmanager
def _in_one_piece() -> Iterator[None]:
    """A picture's memory is one allocation, which goes back when it is freed; in Pillow's blocks of 16 MB each thread would keep some."""
    before = _imaging.get_block_size()
    _imaging.set_block_size(2**30)
    try:
        yield
    finally:
        _imaging.set_block_size(before)


@contextmanager
def _without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # an "error" filter would make a decodable file a bad one
        yield


@contextmanager
def _log_unprinted() -> Iterator[None]:
    """What Pillow logs goes where a program sends its log, and not, for want of that, to standard error."""
    handler = logging.NullHandler()
    logging.getLogger("PIL").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("PIL").removeHandler(handler)


@contextmanager
def _libtiff_silent() -> Iterator[None]:
    """Pillow silences libtiff's warnings itself, not its errors. Where the library cannot be reached, nothing happens."""
    try:
        handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (OSError, TypeError, AttributeError):
        yield
        return
    handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
    before = handler(None)
    try:
        yield
    finally:
        handler(before)
