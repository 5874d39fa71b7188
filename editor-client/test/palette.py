"""The colours of a screenshot that has few: its common ones exactly, and for the rest those that lie farthest apart."""

from __future__ import annotations

from collections import Counter

from PIL import Image

_COMMON, _RARE = 200, 56


def palette_of(picture: Image.Image) -> Image.Image:
    """Return what `Image.quantize` takes: small coloured signs stay coloured, and backgrounds as they are."""
    pixels = picture.tobytes()
    counted = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
    common = [part for pixel, _ in counted.most_common(_COMMON) for part in pixel]
    rare = picture.quantize(_RARE, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(common + rare[: 3 * _RARE])
    return palette
