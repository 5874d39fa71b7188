"""Inputs for the functions of `aa_functions.py`, the same in every run."""

from __future__ import annotations

import random
from datetime import date


def inputs() -> dict[str, list[tuple[object, ...]]]:
    """A few calls of each function by its name."""
    rng = random.Random(4)
    words = ["".join(rng.choices("abcdeinorst", k=rng.randint(2, 9))) for _ in range(400)]
    numbers = [rng.randint(0, 300) for _ in range(400)]
    floats = [rng.uniform(-5, 5) for _ in range(600)]
    graph = {f"n{index}": {f"n{rng.randrange(60)}": rng.randint(1, 9) for _ in range(4)} for index in range(60)}
    matrix = [floats[start : start + 12] for start in range(0, 144, 12)]
    nested: list[object] = [[index, [index, [index]]] for index in range(60)]
    record = {"words": words[:60], "numbers": numbers[:60], "nested": {"floats": floats[:40]}}
    return {
        "word_counts": [(" ".join(words[:size]),) for size in (0, 10, 300)],
        "slug": [(" ".join(words[:size]) + "!",) for size in (1, 8, 40)],
        "is_palindrome": [("A man, a plan, a canal: Panama",), ("".join(words[:30]),), ("",)],
        "run_lengths": [("a" * 40 + "bc" * 30,), ("".join(words[:20]),)],
        "edit_distance": [("kitten", "sitting"), ("".join(words[:6]), "".join(words[6:12]))],
        "fibonacci": [(5,), (14,)],
        "primes_below": [(10,), (3000,)],
        "collatz_length": [(27,), (97,), (871,)],
        "digits_of_factorial": [(20,), (300,)],
        "mean_and_deviation": [(floats[:10],), (floats,)],
        "matrix_product": [(matrix, matrix)],
        "group_by_initial": [(words[:5],), (words,)],
        "unique_in_order": [(numbers[:20],), (numbers,)],
        "insertion_sorted": [(numbers[:10],), (numbers[:80],)],
        "shortest_path": [(graph, "n0", "n59"), (graph, "n3", "nowhere")],
        "flattened": [(nested,)],
        "windows": [(numbers[:100], 3)],
        "working_days": [(date(2024, 2, 27), 60)],
        "invoice_total": [([(quantity % 9, f"{quantity}.35") for quantity in numbers[:80]], "0.19")],
        "numbers_in": [([*map(str, numbers[:80]), *words[:20]],)],
        "json_round_trip": [(record,)],
    }
