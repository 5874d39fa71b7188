"""The folders that agents may read and write in. Links and `..` are followed before it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codeens_mcp_tools.errors import ToolError


class Roots:
    """Allowed folders; relative paths are meant from the first."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Every one must be a folder."""
        self.folders = tuple(folder.resolve() for folder in folders)

    @property
    def first(self) -> Path:
        return self.folders[0]

    def resolve(self, text: str) -> Path:
        """The real path of what is named.

        Raises:
            ToolError: it is outside of all roots, or no path.
        """
        try:
            path = (self.first / Path(text).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise ToolError(f"{text!r} is no path ({error}). Give one below {self.first}.") from None
        self.check(path, text)
        return path

    def holds(self, path: Path) -> bool:
        """Return whether a path is inside."""
        real = path.resolve()
        return any(real == folder or folder in real.parents for folder in self.folders)

    def check(self, path: Path, name: str) -> None:
        """See that a path is inside.

        Raises:
            ToolError: it is not.
        """
        if not self.holds(path):
            allowed = ", ".join(map(str, self.folders))
            raise ToolError(
                f"{name} is outside of the folders that this server may use ({allowed}). Name a file in one of "
                f"them, or have the user start the server with --root for its folder."
            )
