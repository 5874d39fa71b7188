"""What is drawn follows from the strategy and the seed."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import strategies as st

from codeens_sandbox_backends.programs import CallInput
from codeens_server.evidence.strategies.draw import draw

_BEFORE_AND_AFTER = """
import sys
from hypothesis import strategies as st
from codeens_sandbox_backends.programs import CallInput
from codeens_server.evidence.strategies.draw import draw
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: CallInput(args=(text,)))
before = draw(texts, 100, seed="s", max_seconds=600.0)
import codeens_server.generation.rewrites.offline
import beside
sys.exit(draw(texts, 100, seed="s", max_seconds=600.0) != before)
"""


def test_what_else_is_imported_does_not_change_what_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text(f"TEXTS = {[f'a text of it {number}' for number in range(99)]}\n")
    done = subprocess.run([sys.executable, "-c", _BEFORE_AND_AFTER], cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert done.returncode == 0


def test_what_other_threads_draw_by_chance_meanwhile_is_neither_changed_nor_complained_about() -> None:
    drawn: list[float] = []
    with ThreadPoolExecutor(1) as other:

        def beside_another(number: int) -> CallInput:
            drawn.append(other.submit(random.random).result())
            return CallInput(args=(number,))

        before = random.getstate()
        random.seed(7)
        try:
            draw(st.integers().map(beside_another), 20, seed="s")
        finally:
            random.setstate(before)
    own = random.Random(7)
    assert drawn == [own.random() for _ in drawn]
    assert len(drawn) >= 20
