"""Functions of every shape, in files of every style."""

from __future__ import annotations

from pathlib import Path

from codeens_server.workspace.edit import splice
from tests.server.rewrites.workshop import candidates, check_equal, rewritten, target_in, variant

COMPREHEND = "append-loop-to-comprehension"
SET = "list-membership-to-set"


def test_a_method_is_changed_in_its_class_and_nothing_else_is(tmp_path: Path) -> None:
    source = '''
        class Words:
            """Some words."""

            def __init__(self, stop):
                self.stop = stop

            @property
            def size(self):
                return 0

            def kept(self, words: list[str]):
                """Those that are kept.

                In order.
                """
                sign = """
            not indented
                """
                found = []
                for word in words:
                    if word not in self.stop:  # the rest
                        found.append(word + sign)
                return found
    '''
    after = rewritten(tmp_path, COMPREHEND, source, "Words.kept")
    assert after is not None
    assert "        # the rest\n        return [word + sign for word in words if word not in self.stop]\n" in after
    assert '        """Those that are kept.\n\n        In order.\n        """\n' in after
    assert '"""\n    not indented\n        """\n' in after
    assert after.startswith('class Words:\n    """Some words."""\n\n    def __init__(self, stop):\n')


def test_a_target_is_dedented_and_keeps_its_decorators(tmp_path: Path) -> None:
    source = (
        "class A:\n"
        "    @staticmethod\n"
        "    # why\n"
        "    def f(xs):\n"
        "        found = []\n"
        "        for x in xs: found.append(x)\n"
        "        return found\n"
    )
    found = candidates(tmp_path, source, "A.f", variant(COMPREHEND))
    assert found[0].replacement.function == "@staticmethod\n# why\ndef f(xs):\n    return [x for x in xs]\n"


def test_an_async_function_keeps_what_awaits(tmp_path: Path) -> None:
    source = """
        async def f(xs, ys):
            found = []
            for x in xs:
                found.append(x + 1)
            async for y in ys:
                found.append(y)
            other = []
            for x in xs:
                other.append(await x)
            return found, other
    """
    after = rewritten(tmp_path, COMPREHEND, source)
    assert after is not None
    assert "found = [x + 1 for x in xs]\n    async for y in ys:\n        found.append(y)\n" in after
    assert "other.append(await x)" in after


def test_a_generator_stays_one(tmp_path: Path) -> None:
    source = """
        def f(xs):
            seen = []
            for x in xs:
                if x not in seen:
                    seen.append(x)
                    yield x
    """
    after = rewritten(tmp_path, SET, source)
    assert after is not None
    assert "seen = set()" in after
    check_equal(
        source + "\n        def g(xs):\n            return list(f(xs))\n",
        after + "\ndef g(xs):\n    return list(f(xs))\n",
        [([],), ([2, 1, 2],)],
        "g",
    )


def test_a_nested_function_knows_the_names_around_it(tmp_path: Path) -> None:
    source = (
        "def outer({}, stop):\n"
        "    def inner(words):\n"
        "        return max([len(word) for word in words])\n"
        "    return inner\n"
    )
    free = candidates(tmp_path, source.format("other"), "outer.inner", variant("generator-for-list"))
    assert free[0].replacement.function == "def inner(words):\n    return max(len(word) for word in words)\n"
    assert candidates(tmp_path, source.format("max"), "outer.inner", variant("generator-for-list")) == []


def test_what_a_nested_function_shares_is_not_changed(tmp_path: Path) -> None:
    source = """
        def f(xs):
            found = []
            def add(x):
                found.append(x)
            for x in xs:
                found.append(x)
            add(1)
            return found
    """
    assert rewritten(tmp_path, COMPREHEND, source) is None


def test_newlines_and_tabs_of_the_file_are_kept(tmp_path: Path) -> None:
    lines = (
        "class A:",
        "\tdef f(self, xs):",
        "\t\tys = []",
        "\t\tfor x in xs:",
        "\t\t\tys.append(x)",
        "\t\treturn ys",
        "",
    )
    source = "\r\n".join(lines)
    found = candidates(tmp_path, source, "A.f", variant(COMPREHEND))
    after = splice(source, target_in(tmp_path, source, "A.f"), found[0].replacement)
    assert after == "class A:\r\n\tdef f(self, xs):\r\n\t\treturn [x for x in xs]\r\n"
