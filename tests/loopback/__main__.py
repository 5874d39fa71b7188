"""`python -m tests.loopback`: the model server as a program, with recorded answers to HumanEval tasks.

Prints one line of JSON, `{"url": …}`, when it is ready, and serves until it is ended.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import anyio

from tests.loopback.recorded import RecordedAnswers, data_folder
from tests.loopback.server import FAULTS, ModelServer


def main() -> None:
    options = _options()
    anyio.run(_serve, options)


async def _serve(options: argparse.Namespace) -> None:
    fates = [options.fault] * options.times + ["ok"] if options.times else [options.fault]
    answers = RecordedAnswers(options.data, frozenset(options.label) or None)
    server = ModelServer(
        answer=answers,
        models=options.model or ["loopback"],
        script={options.fault_model: fates},
        retry_after_s=options.retry_after,
        port=options.port,
    )
    async with server:
        print(json.dumps({"url": server.url}), flush=True)
        await anyio.sleep_forever()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--model", action="append", help="a name that /v1/models lists; all names are served")
    parser.add_argument("--label", action="append", default=[], help="only answers labelled so, for instance pass")
    parser.add_argument("--fault", choices=FAULTS, default="ok")
    parser.add_argument("--fault-model", default="*", help="the model that it happens to; default: all")
    parser.add_argument("--times", type=int, default=0, help="requests of a model that it happens to; 0: all")
    parser.add_argument("--retry-after", type=float, default=0.01, metavar="SECONDS")
    return parser.parse_args()


if __name__ == "__main__":
    main()
