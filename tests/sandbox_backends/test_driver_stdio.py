"""Scripts: standard input to standard output."""

from __future__ import annotations

from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import Died, TimedOut
from tests.sandbox_backends.programs import run_stdio


def test_a_script_reads_its_input_and_is_main() -> None:
    result = run_stdio(
        """
        import sys
        if __name__ == "__main__":
            print(input(), sys.stdin.read().upper(), sys.argv[1:])
        """,
        "one\ntwö",
        "1\n",
        argv=("x",),
    )
    assert [(run.stdout, run.ending) for run in result.runs] == [("one TWÖ ['x']\n", None), ("1  ['x']\n", None)]


def test_each_input_is_run_in_a_process_of_its_own() -> None:
    result = run_stdio("import sys\nprint(hasattr(sys, 'mark'))\nsys.mark = 1", "", "")
    assert [run.stdout for run in result.runs] == ["False\n", "False\n"]


def test_exit_codes_and_uncaught_exceptions_are_endings() -> None:
    (left,) = run_stdio("print('so far')\nraise SystemExit(3)", "").runs
    assert (left.stdout, left.ending) == ("so far\n", Died(reason="exit", detail="exit code 3"))
    (fine,) = run_stdio("raise SystemExit", "").runs
    assert fine.ending is None
    (raised,) = run_stdio("def f():\n    return int('x')\nf()", "").runs
    assert raised.ending == Died(reason="exit", detail="exit code 1")
    assert raised.stderr.endswith("ValueError: invalid literal for int() with base 10: 'x'\n")
    assert "codeens_worker" not in raised.stderr


def test_a_script_that_is_killed_or_hangs_says_so() -> None:
    (killed,) = run_stdio("import os\nos.kill(os.getpid(), 11)", "").runs
    assert killed.ending == Died(reason="signal", detail="SIGSEGV")
    (hung,) = run_stdio("print('before', flush=True)\nwhile True: pass", "", limits=Limits(wall_s=0.5)).runs
    assert hung.ending == TimedOut(limit="wall", seconds=0.5)
    assert hung.stdout == "before\n"


def test_large_input_and_output_pass_whole() -> None:
    text = "0123456789abcdef\n" * 20_000
    (run,) = run_stdio("import sys\nsys.stdout.write(sys.stdin.read())", text).runs
    assert run.stdout == text


def test_a_script_has_no_channel_to_the_judge() -> None:
    source = "import os\nprint([fd for fd in range(3, 50) if os.path.exists(f'/proc/self/fd/{fd}')])"
    (run,) = run_stdio(source, "").runs
    assert run.stdout == "[]\n"
