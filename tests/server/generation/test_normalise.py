"""Which replacements count as the same."""

from __future__ import annotations

from codeens_server.domain.target import Replacement
from codeens_server.generation.reply.assemble import digest

PLAIN = Replacement(function="def f(a):\n    return a + 1", imports=("import b", "import a"), helpers=("X = 1",))


def test_layout_comments_docstrings_and_the_order_of_imports_do_not_count() -> None:
    function = 'def f( a ):\n\n  """Doc."""\n  # why\n  return (a+1)'
    other = Replacement(function=function, imports=("import a", "import b"), helpers=("X  =  1  # one",))
    assert digest(other) == digest(PLAIN)


def test_whatever_a_program_can_see_counts() -> None:
    changes = [
        Replacement(function="def f(b):\n    return b + 1", imports=PLAIN.imports, helpers=PLAIN.helpers),
        Replacement(function="def f(a: int):\n    return a + 1", imports=PLAIN.imports, helpers=PLAIN.helpers),
        Replacement(function="def f(a):\n    return a + 1.0", imports=PLAIN.imports, helpers=PLAIN.helpers),
        Replacement(function=PLAIN.function, imports=("import a",), helpers=PLAIN.helpers),
        Replacement(function=PLAIN.function, imports=PLAIN.imports),
    ]
    assert len({digest(item) for item in [PLAIN, *changes]}) == 1 + len(changes)


def test_a_body_of_only_a_docstring_is_not_lost() -> None:
    assert digest(Replacement(function='def f():\n    "doc"')) == digest(Replacement(function="def f():\n    pass"))
