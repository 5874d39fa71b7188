"""Puts the table of `codeens check` under a pull request, in place of the one of an earlier check.

Needs nothing but the standard library. What cannot be commented on (the token of a fork's pull request may only read)
is a warning of the workflow and no failure: the table is in the job's summary in any case.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

MARK = "<!-- codeens check -->"
_WITHIN_S = 30.0
_LONGEST = 60_000
"""GitHub takes 65,536 characters."""
_PAGE = 100
_MOST_PAGES = 30


def main() -> None:
    """Comment, as the environment of the step says."""
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    number, token = int(os.environ["PULL_REQUEST"]), os.environ["TOKEN"]
    table = Path(os.environ["TABLE"]).read_text(encoding="utf-8")
    body = f"{MARK}\n{table[:_LONGEST]}"
    try:
        earlier = _earlier(f"{url}/{number}/comments", token)
        if earlier is None:
            _asked("POST", f"{url}/{number}/comments", token, {"body": body})
        else:
            _asked("PATCH", f"{url}/comments/{earlier}", token, {"body": body})
    except HTTPError as error:
        needed = "; the job needs `permissions: pull-requests: write`" if error.code in (403, 404) else ""
        sys.stdout.write(f"::warning::no comment: GitHub answers {error.code} {error.reason}{needed}\n")
    except URLError as error:
        sys.stdout.write(f"::warning::no comment: {error.reason}\n")


def _earlier(url: str, token: str) -> int | None:
    """Return the id of the comment that an earlier check wrote; None where there is none."""
    for page in range(1, _MOST_PAGES + 1):
        comments = _asked("GET", f"{url}?per_page={_PAGE}&page={page}", token)
        for comment in comments:
            if (comment["body"] or "").startswith(MARK):
                return comment["id"]
        if len(comments) < _PAGE:
            break
    return None


def _asked(method: str, url: str, token: str, document: dict[str, str] | None = None) -> Any:
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    data = None if document is None else json.dumps(document).encode()
    with urlopen(Request(url, data, headers, method=method), timeout=_WITHIN_S) as answer:  # noqa: S310  GitHub's own
        return json.load(answer)


if __name__ == "__main__":
    main()
