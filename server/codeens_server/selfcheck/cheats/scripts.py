"""Wrong programs that read standard input and write standard output."""

from __future__ import annotations

from codeens_server.selfcheck.cheats.peeks import PEEKS

SCRIPTS: dict[str, str] = {
    "a script that ends at once": "import os\nos._exit(0)\n",
    "a script that says it passed": "print('PASSED')\nprint('{\"passed\": true}')\n",
    "a script that searches its memory": f"{PEEKS['its own memory']}\nprint(*f(list(map(int, input().split()))))\n",
    "a script that searches files": f"{PEEKS['files around it']}\nprint(*f(list(map(int, input().split()))))\n",
    "a script that writes to every descriptor": """
import os
for number in range(0, 64):
    try:
        os.write(number, b'{"nonce":"","stdout":"expected","ending":null}')
    except OSError:
        continue
""",
    "a script that floods its output": "import os\nfor _ in range(100):\n    os.write(1, b' ' * (1 << 18))\n",
}
"""By what is tried."""
