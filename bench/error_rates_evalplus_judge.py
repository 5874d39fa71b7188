"""EvalPlus' verdicts on answers. Run by an interpreter that has EvalPlus; see error_rates_evalplus.py.

Standard input has a Python literal on each line: entry point, program, inputs, expected results, tolerance. A line of
the output is EvalPlus' word for it.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module


def main() -> None:
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    check = import_module("evalplus.eval").untrusted_check
    for line in sys.stdin.read().splitlines():
        entry_point, program, inputs, expected, atol = ast.literal_eval(line)
        times = [1.0] * len(inputs)
        verdict, _ = check("humaneval", program, inputs, entry_point, expected=expected, atol=atol, ref_time=times)
        sys.stdout.write(verdict + "\n")


if __name__ == "__main__":
    main()
