#!/usr/bin/env bash
# Takes the README's pictures over from the last end-to-end run, made smaller. Needs Pillow in $PYTHON.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p images
PYTHONPATH=test "${PYTHON:-../.venv/bin/python}" -B - out/pictures images <<'PYTHON'
import sys
from pathlib import Path

from palette import palette_of
from PIL import Image

source, target = map(Path, sys.argv[1:])
for name, kept in {"results": "results", "menu": "menu", "table-dark": "table", "differences": "differences"}.items():
    with Image.open(source / f"{name}.png") as picture:
        box = (350, 0, 1180, 520) if name == "menu" else (0, 0, 650, 775) if name == "differences" else (0, 0, 1280, 800)
        part = picture.convert("RGB").crop(box)
        part.quantize(palette=palette_of(part), dither=Image.Dither.NONE).save(target / f"{kept}.png", optimize=True)
PYTHON
