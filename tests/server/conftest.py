"""What all tests of the server share."""

from __future__ import annotations

from collections.abc import Generator

import pytest


@pytest.fixture(scope="session", autouse=True)
def inputs_are_drawn_to_the_end() -> Generator[None]:
    """Which inputs there are does not depend on how busy the machine is."""
    from codeens_server.evidence import telling
    from codeens_server.evidence.strategies.draw import draw

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "__kwdefaults__", {"max_seconds": 600.0})
        patch.setattr(telling, "_LONGEST_DRAWING_S", 600.0)
        yield
