"""Where the bundle's host begins."""

from __future__ import annotations

from codeens_server.serve import main

main()
