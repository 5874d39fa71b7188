"""Entry of `races.py`, which says what it does."""

import sys

if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # the library that has this file's name comes first
    from races import main

    sys.exit(main())
