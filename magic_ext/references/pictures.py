"""Pictures: matplotlib figures, PIL and IPython images, and what the first bytes of an image file say."""

from __future__ import annotations

import io
import struct
from typing import Any

from magic_ext.references.errors import UnsendableError
from magic_ext.references.libraries import is_a
from magic_ext.references.things import Picture

__all__ = ["mime_type_of", "picture_of", "size_of"]

_MAX_PIXELS = 3_000  # the longer side of a drawn figure
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


def mime_type_of(start: bytes) -> str:
    """The type of an image by its first bytes, ``""`` for anything else.

    >>> mime_type_of(b"GIF89a"), mime_type_of(b"a,b")
    ('image/gif', '')
    """
    for magic, mime_type in _MAGIC:
        if start.startswith(magic):
            return mime_type
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"mif1"):
        return "image/heic"
    return ""


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG or GIF in pixels; ``None`` for other images."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(b"GIF8") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    return None


def picture_of(value: Any) -> Picture | None:
    """A figure, axes or image as a picture; ``None`` for any other object. No library is imported to tell.

    Raises :class:`UnsendableError` for an image that is only a link.
    """
    if (figure := _figure(value)) is not None:
        return _drawn(figure)
    if isinstance(value, bytes) and (mime_type := mime_type_of(value[:16])):
        return Picture("image", bytes(value), mime_type, size_of(value))
    if is_a(value, "PIL.Image", "Image"):
        return _png(value)
    if is_a(value, "IPython.core.display", "Image"):
        return _shown(value)
    return None


def _figure(value: Any) -> Any:
    if is_a(value, "matplotlib.figure", "FigureBase"):
        return value.get_figure(root=True) if hasattr(value, "get_figure") and not hasattr(value, "savefig") else value
    if is_a(value, "matplotlib.axes", "Axes"):
        return _figure(value.get_figure())
    if is_a(value, "numpy", "ndarray") and value.dtype == object and value.size:
        return _figure(value.flat[0])  # what plt.subplots(2, 2) returns
    return None


def _drawn(figure: Any) -> Picture:
    longest = max(figure.get_size_inches()) * figure.dpi
    dpi = figure.dpi * min(1.0, _MAX_PIXELS / longest)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    data = buffer.getvalue()
    return Picture("matplotlib figure", data, "image/png", size_of(data))


def _png(image: Any) -> Picture:
    buffer = io.BytesIO()
    drawable = image if image.mode in ("1", "L", "LA", "I", "P", "RGB", "RGBA") else image.convert("RGB")
    drawable.save(buffer, format="PNG")
    return Picture("PIL image", buffer.getvalue(), "image/png", image.size)


def _shown(image: Any) -> Picture:
    data = image.data if isinstance(image.data, bytes) else b""
    mime_type = mime_type_of(data[:16])
    if not mime_type:
        hint = "Download it, and refer to the file."
        raise UnsendableError("The image is only a link, or of a kind that cannot be sent.", hint=hint)
    return Picture("image", data, mime_type, size_of(data))
