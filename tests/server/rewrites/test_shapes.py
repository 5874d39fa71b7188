"""Functions of every shape, in files of every style."""

from __future__ import annotations

from pathlib import Path

from codeens_server.workspace.edit import splice
from tests.server.rewrites.workshop import candidates, check_equal, rewritten, target_in, variant

COUNT = "manual-count-to-counter"
JOIN = "concatenation-to-join"
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
                counts = {}
                for word in words:
                    if word not in self.stop:  # the rest
                        counts[word + sign] = counts.get(word + sign, 0) + 1
                return counts
    '''
    after = rewritten(tmp_path, COUNT, source, "Words.kept")
    assert after is not None
    counted = "dict(Counter(word + sign for word in words if word not in self.stop))"
    assert f"        # the rest\n        counts = {counted}\n        return counts\n" in after
    assert '        """Those that are kept.\n\n        In order.\n        """\n' in after
    assert '"""\n    not indented\n        """\n' in after
    assert after.startswith(
        'from collections import Counter\n\nclass Words:\n    """Some words."""\n\n    def __init__(self, stop):\n'
    )


def test_a_target_is_dedented_and_keeps_its_decorators(tmp_path: Path) -> None:
    source = (
        "class A:\n"
        "    @staticmethod\n"
        "    # why\n"
        "    def f(xs):\n"
        "        text = ''\n"
        "        for x in xs: text += str(x)\n"
        "        return text\n"
    )
    found = candidates(tmp_path, source, "A.f", variant(JOIN))
    assert found[0].replacement.function == (
        "@staticmethod\n# why\ndef f(xs):\n    text_parts = []\n    for x in xs: text_parts.append(str(x))\n"
        '    return "".join(text_parts)\n'
    )


def test_an_async_function_keeps_what_awaits(tmp_path: Path) -> None:
    source = """
        async def f(xs, ys):
            counts = {}
            for x in xs:
                counts[x] = counts.get(x, 0) + 1
            async for y in ys:
                counts[y] = counts.get(y, 0) + 1
            other = {}
            for x in xs:
                if await x:
                    other[x] = other.get(x, 0) + 1
            return counts, other
    """
    after = rewritten(tmp_path, COUNT, source)
    assert after is not None
    assert (
        "counts = dict(Counter(iter(xs)))\n    async for y in ys:\n        counts[y] = counts.get(y, 0) + 1\n" in after
    )
    assert "        if await x:\n            other[x] = other.get(x, 0) + 1\n" in after


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
        "def outer({}):\n"
        "    def inner(words, stop: list[str]):\n"
        "        return [word for word in words if word not in stop]\n"
        "    return inner\n"
    )
    free = candidates(tmp_path, source.format("other"), "outer.inner", variant(SET))
    assert free[0].replacement.function == (
        "def inner(words, stop: list[str]):\n    stop_set = set(stop)\n"
        "    return [word for word in words if word not in stop_set]\n"
    )
    assert candidates(tmp_path, source.format("set"), "outer.inner", variant(SET)) == []


def test_what_a_nested_function_shares_is_not_changed(tmp_path: Path) -> None:
    source = """
        def f(xs):
            text = ""
            def add(x):
                nonlocal text
                text += str(x)
            for x in xs:
                text += str(x)
            add(1)
            return text
    """
    assert rewritten(tmp_path, JOIN, source) is None


def test_newlines_and_tabs_of_the_file_are_kept(tmp_path: Path) -> None:
    lines = (
        "class A:",
        "\tdef f(self, xs):",
        "\t\ttext = ''",
        "\t\tfor x in xs:",
        "\t\t\ttext += str(x)",
        "\t\treturn text",
        "",
    )
    source = "\r\n".join(lines)
    found = candidates(tmp_path, source, "A.f", variant(JOIN))
    after = splice(source, target_in(tmp_path, source, "A.f"), found[0].replacement)
    expected = ("text_parts = []", "for x in xs:", "\ttext_parts.append(str(x))", 'return "".join(text_parts)', "")
    assert after == "class A:\r\n\tdef f(self, xs):\r\n\t\t" + "\r\n\t\t".join(expected).removesuffix("\t\t")
