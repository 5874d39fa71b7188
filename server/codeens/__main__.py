"""`python -m codeens` is the command `codeens`."""

from __future__ import annotations

from codeens._scripts.codeens import main

main()
