"""Where the bundle's host begins."""

from __future__ import annotations

from codeens._scripts.server import main

main()
