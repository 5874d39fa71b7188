from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec
import pytest
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.domain.document import Machine, RunDocument
from codeens_server.ranking.wording import TIMES
from codeens_server.store.opening import open_store
from codeens_server.views.cells import MINUS
from tests.server import facts
from tests.server.cli.conftest import Codeens


def test_without_runs_the_list_says_how_to_make_one(codeens: Codeens) -> None:
    result = codeens("runs", "list")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "codeens run" in result.stderr


def test_the_list_names_each_run_and_its_result(codeens: Codeens, ended: RunDocument) -> None:
    result = codeens("runs", "list")
    assert ended.run_id in result.stdout
    assert "sums.py::total" in result.stdout
    assert ended.headline in " ".join(result.stdout.split())


def test_the_list_as_json_is_one_document(codeens: Codeens, ended: RunDocument) -> None:
    lines = json.loads(codeens("runs", "list", "--json").stdout)
    assert [line["run_id"] for line in lines] == [ended.run_id]
    assert lines[0]["candidates"] == 2


def test_a_run_is_shown_with_the_original_first_and_reasons_for_what_was_rejected(
    codeens: Codeens, ended: RunDocument
) -> None:
    lines = codeens("runs", "show", "20260101").stdout.splitlines()
    rows = [line for line in lines if line.startswith(("0 ", "1 ", "- "))]
    assert [row.split()[:2] for row in rows] == [["0", "original"], ["1", "maker/small"], ["-", "maker/small"]]
    assert "passed: 34/34 tests and 120 inputs equal" in rows[1]
    assert f"2.3{TIMES} [2.2, 2.5]" in rows[1]
    assert f"+1 {MINUS}4" in rows[1]
    assert "failed: total([1, 2]) gave 4, not 3" in rows[2]


def test_below_the_rows_stand_the_headline_the_thin_evidence_the_sandbox_and_what_to_do(
    codeens: Codeens, ended: RunDocument
) -> None:
    text = codeens("runs", "show", ended.run_id).stdout
    assert ended.headline in text
    assert "note: only 3 inputs, which run 40 % of the lines" in text
    assert f"sandbox: {facts.LABEL}" in text
    assert f"codeens runs diff {ended.run_id} 1" in text
    assert f"codeens runs apply {ended.run_id} 1" in text


def test_the_behaviour_map_numbers_the_inputs_on_which_groups_differ(codeens: Codeens, ended: RunDocument) -> None:
    text = codeens("runs", "show", ended.run_id).stdout
    assert "group 0 (3 answers): 0 original, 1 maker/small · performance (c1)" in text
    assert "1. total([])\n   group 0: 0\n   group 1: 4" in text


def test_an_unsafe_run_says_so_in_every_row_and_below(
    codeens: Codeens, here: Path, keep: Callable[[RunDocument], None]
) -> None:
    keep(facts.run_document("20260102-bad000", facts.target_in(here), label="unsafe: NOT ISOLATED"))
    text = codeens("runs", "show", "20260102").stdout
    assert [line for line in text.splitlines() if line.startswith(("0 ", "1 ")) and "NOT ISOLATED" not in line] == []
    assert "it could read and change everything that you can" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_narrow_terminal_loses_nothing(
    width: int, codeens: Codeens, ended: RunDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    text = codeens("runs", "show", ended.run_id).stdout
    words = " ".join(text.split())
    for said in ("maker/small · performance", "34/34 tests and 120 inputs equal", "[2.2, 2.5]", "gave 4, not 3"):
        assert said in words


def test_what_candidates_wrote_can_not_drive_the_terminal(
    codeens: Codeens, here: Path, keep: Callable[[RunDocument], None]
) -> None:
    run = facts.run_document("20260103-e5c000", facts.target_in(here))
    evil = replace(run.results[1], reason="\x1b]0;owned\x07\x1b[2J[red]gone[/red]\u202e")
    keep(replace(run, results=(run.results[0], evil), headline="best\x1b[1A"))
    text = codeens("runs", "show", "20260103").stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[red]gone[/red]" in text


def test_json_of_a_shown_run_is_its_document(codeens: Codeens, ended: RunDocument) -> None:
    assert msgspec.json.decode(codeens("runs", "show", ended.run_id, "--json").stdout, type=RunDocument) == ended


def test_the_run_that_began_last_is_called_latest(codeens: Codeens, ended: RunDocument) -> None:
    assert json.loads(codeens("runs", "show", "latest", "--json").stdout)["run_id"] == ended.run_id


def test_latest_is_of_the_workspace_though_another_ran_later(
    codeens: Codeens,
    here: Path,
    keep: Callable[[RunDocument], None],
    ended: RunDocument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other, empty = here.parent / "other", here.parent / "workspace2"
    for folder in (other, empty):
        folder.mkdir()
        (folder / "pyproject.toml").write_text("", encoding="utf-8")
    keep(facts.run_document("20260109-a11e57", facts.target_in(other)))
    assert json.loads(codeens("runs", "show", "latest", "--json").stdout)["run_id"] == ended.run_id
    monkeypatch.chdir(empty)
    refused = codeens("runs", "diff", "latest")
    assert refused.exit_code == 2
    assert f"no run is about this workspace, {empty}. The latest of all is 20260109-a11e57" in refused.stderr


def test_the_diff_is_what_git_applies(codeens: Codeens, ended: RunDocument) -> None:
    text = codeens("runs", "diff", ended.run_id, "1").stdout
    assert text.startswith("--- a/sums.py\n+++ b/sums.py\n")
    assert "+    return sum(items)\n" in text
    assert text == codeens("runs", "diff", ended.run_id).stdout


def test_two_runs_are_shown_beside_each_other_with_what_differs(
    codeens: Codeens, here: Path, keep: Callable[[RunDocument], None], ended: RunDocument
) -> None:
    keep(replace(ended, run_id="20260107-0ddba1", machine=Machine(processor="M1", cores=8, python="3.13", system="D")))
    text = codeens("runs", "compare", ended.run_id, "20260107").stdout
    (row,) = [line for line in text.splitlines() if "[2.2, 2.5]" in line]
    assert row.count("[2.2, 2.5]") == 2
    assert "not the same: machine: not known of one" in text


def test_rows_that_are_tied_have_numbers_of_their_own(
    codeens: Codeens, here: Path, keep: Callable[[RunDocument], None]
) -> None:
    run = facts.run_document("20260106-71ed00", facts.target_in(here))
    again = facts.candidate("c4", "def total(items):\n    return 0 + sum(items)\n")
    tied = replace(run.results[0], candidate=again, tied=True)
    keep(replace(run, results=(run.results[0], tied, run.results[1])))
    ranks = [line.split()[0] for line in codeens("runs", "show", "71ed00").stdout.splitlines() if "maker/small" in line]
    assert ranks[:3] == ["1", "2=", "-"]
    assert "+    return 0 + sum(items)" in codeens("runs", "diff", "71ed00", "2").stdout


def test_apply_writes_the_rank_into_the_file(codeens: Codeens, ended: RunDocument) -> None:
    result = codeens("runs", "apply", "abcdef", "1")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "sum(items)" in Path(ended.target.path).read_text(encoding="utf-8")


def test_apply_refuses_a_file_that_changed_since_the_run(codeens: Codeens, ended: RunDocument) -> None:
    path = Path(ended.target.path)
    changed = path.read_text(encoding="utf-8") + "\nMORE = 1\n"
    path.write_text(changed, encoding="utf-8")
    result = codeens("runs", "apply", ended.run_id, "1")
    assert result.exit_code == 2
    assert "changed since the run" in result.stderr
    assert path.read_text(encoding="utf-8") == changed


@pytest.mark.parametrize(
    ("rank", "message"),
    [
        ("7", "has no rank 7. It has 1."),
        ("0", "rank 0 is the original"),
        ("x", "is not a rank"),
    ],
)
def test_a_wrong_rank_is_an_input_error(rank: str, message: str, codeens: Codeens, ended: RunDocument) -> None:
    result = codeens("runs", "diff", ended.run_id, rank)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_where_the_original_stays_best_there_is_nothing_to_apply(
    codeens: Codeens, here: Path, keep: Callable[[RunDocument], None]
) -> None:
    run = facts.run_document("20260104-0e5700", facts.target_in(here))
    keep(replace(run, best="original"))
    result = codeens("runs", "apply", "20260104")
    assert result.exit_code == 0
    assert "nothing was written" in result.stderr
    assert Path(run.target.path).read_text(encoding="utf-8") == facts.SOURCE


def test_a_run_that_did_not_end_says_how_to_go_on(codeens: Codeens, here: Path) -> None:
    async def begin() -> None:
        target = facts.target_in(here)
        with open_store(Settings()) as store:
            await facts.keep(store, facts.found(target, "20260105-cafe00"))

    anyio.run(begin)
    result = codeens("runs", "show", "cafe00")
    assert result.exit_code == 2
    assert "codeens run --resume 20260105-cafe00" in result.stderr
    assert "not ended" in codeens("runs", "list").stdout


def test_an_unknown_id_is_one_line_without_a_traceback(codeens: Codeens, ended: RunDocument) -> None:
    result = codeens("runs", "show", "zzz")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: no run has an id that begins with 'zzz'.")
    assert len(result.stderr.splitlines()) == 1


def test_runs_are_exported_to_a_file_and_imported_into_another_store(
    codeens: Codeens, ended: RunDocument, tmp_path: Path
) -> None:
    out = tmp_path / "runs.jsonl"
    written = codeens("runs", "export", "--out", str(out))
    assert (written.exit_code, written.stdout) == (0, "")
    assert f"events written to {out}" in written.stderr
    assert codeens("runs", "export", ended.run_id).stdout == out.read_text(encoding="utf-8")
    other = ("--results", str(tmp_path / "elsewhere"))
    taken = codeens("runs", "import", str(out), *other, "--json")
    assert json.loads(taken.stdout) == {"added": [ended.run_id], "known": []}
    assert codeens("runs", "import", str(out), *other).stdout == "0 runs added, 1 known already\n"
    assert ended.headline in " ".join(codeens("runs", "list", *other).stdout.split())


def test_a_file_that_is_no_export_is_refused_by_its_line(codeens: Codeens, tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"run_id": "20260101-aaaa', encoding="utf-8")
    result = codeens("runs", "import", str(torn))
    assert result.exit_code == 2
    assert "line 1 is no event of a run as `codeens runs export` writes it" in result.stderr


def test_only_what_is_old_is_pruned_and_only_once_it_is_confirmed(codeens: Codeens, ended: RunDocument) -> None:
    assert codeens("runs", "prune").exit_code == 2
    told = codeens("runs", "prune", "--older-than", "1", "--dry-run", "--json")
    assert json.loads(told.stdout) == {"runs": [], "responses": 0}
    assert codeens("runs", "prune", "--older-than", "30").stdout == "0 runs and 0 kept answers removed\n"
    assert ended.run_id in codeens("runs", "list").stdout
