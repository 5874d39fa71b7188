from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from codeens_sandbox_backends.jobs import Limits
from codeens_server.config.loading import Loaded, load_settings
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.config.user_file import set_refused_conditions
from codeens_server.errors import ConfigError, Hint

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads settings from given texts of files."""

    def load_from(
        *,
        flags: dict[str, object] | None = None,
        environ: dict[str, str] | None = None,
        toml: str | None = None,
        pyproject: str | None = None,
        user: str | None = None,
        trusted: bool = False,
    ) -> Loaded:
        for name, text in (("codeens.toml", toml), ("pyproject.toml", pyproject), ("user/codeens.toml", user)):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")
        return load_settings(
            flags=flags or {},
            workspace=tmp_path,
            environ=environ or {},
            user_dir=tmp_path / "user",
            trusted=trusted,
        )

    return load_from


def test_without_any_source_every_setting_has_its_default(load: Load) -> None:
    assert load() == Loaded(settings=Settings())


def test_flags_go_before_environment_before_workspace_before_user(load: Load) -> None:
    loaded = load(
        flags={"samples": 1, "goal": None},
        environ={"CODEENS_SAMPLES": "2", "CODEENS_GOAL": "speed"},
        toml='samples = 3\ngoal = "memory"\nmax_inputs = 3',
        user="samples = 4\nmax_inputs = 4\nparallel = 4",
    ).settings
    assert (loaded.samples, loaded.goal, loaded.max_inputs, loaded.parallel) == (1, "speed", 3, 4)


def test_variables_of_sandbox_backends_are_theirs(load: Load) -> None:
    environ = {"CODEENS_DOCKER_IMAGE": "mine", "CODEENS_E2B_TEMPLATE": "mine", "CODEENS_DAYTONA_PYTHON": "python3.12"}
    assert load(environ=environ) == Loaded(settings=Settings())


def test_tables_are_merged_key_by_key(load: Load) -> None:
    limits = load(environ={"CODEENS_LIMITS__CPU_S": "7"}, toml="[limits]\nwall_s = 3", user="limits = { wall_s = 9 }")
    assert limits.settings.limits.cpu_s == 7
    assert limits.settings.limits.wall_s == 3


def test_codeens_toml_goes_before_pyproject(load: Load) -> None:
    pyproject = "[tool.codeens]\nsamples = 5\n[tool.other]\nx = 1"
    assert load(pyproject=pyproject).settings.samples == 5
    assert load(toml="", pyproject=pyproject).settings.samples == 1


def test_the_sources_that_set_something_are_named(load: Load, tmp_path: Path) -> None:
    loaded = load(flags={"samples": 2}, toml="parallel = 1")
    assert loaded.sources == ("options", str(tmp_path / "codeens.toml"))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("VARIANTS", "a, b", ("a", "b")),
        ("VARIANTS", '["a,b"]', ("a,b",)),
        ("BUDGET_USD", "0.25", 0.25),
        ("PYTHON", "3.12", "3.12"),
        ("REWRITES", "never", "never"),
        ("DISABLED_VARIANTS", "", ()),
    ],
)
def test_an_environment_variable_is_read_by_the_type_of_its_setting(
    load: Load, name: str, text: str, value: object
) -> None:
    settings = load(environ={f"CODEENS_{name}": text}).settings
    assert getattr(settings, name.lower()) == value


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('# a\ngaol = "speed"', "line 2, gaol: there is no such setting. Did you mean 'goal'?"),
        ('goal = "sped"', "line 1, goal: must be one of balanced, .*, not 'sped'. Did you mean 'speed'?"),
        ("[limits]\n\nwall_s = -1", "line 3, limits.wall_s: must be more than 0, not -1."),
        ("limits.wall_s = true", "line 1, limits.wall_s: must be a number, not true."),
        ("[limits]\nwal_s = 1", "line 2, limits.wal_s: .*'wall_s'"),
        ("samples = 2.5", "line 1, samples: must be a whole number, not 2.5."),
        ("samples = 0", "must be more than 0"),
        ("budget_usd = inf", "must be a finite number"),
        ("limits.cpu_s = nan", "must be a finite number"),
        (
            '[[models]]\nname = "a"\noutput_cost_per_token = -1',
            r"line 3, models\[0\].output_cost_per_token: .*0 or more",
        ),
        ("scorer_weights.mine = -1", "scorer_weights.mine: must be 0 or more, not -1"),
        ("variants = 1", "variants: must be a list, not 1."),
        (
            'models = "auto"',
            r'must be a list, not .auto.\. Names go into default_models, .* default_models = \["auto"\]',
        ),
        ("limits = 1", "limits: must be a table, not 1."),
        (
            '[[models]]\nname = "a"\n\n[[models]]\nname = "b"\nrpm = "x"',
            r"line 6, models\[1\].rpm: must be a whole number",
        ),
        ('[[models]]\nmodel = "a"', r"line 1, models\[0\].name: is missing."),
        ('[[models]]\nname = "a"\n[[models]]\nname = "a"', "two models are called 'a'"),
        ('[[models]]\nname = "a"\nfallbacks = ["b"]', "fallbacks of model 'a': no model is called 'b'"),
        ("[weights.sped]\nspeed = 1", "weights.sped: must be one of .* Did you mean 'speed'"),
        ("[weights.speed]\nspeed = 0\ncorrectness = 0\nquality = 0\nefficiency = 0", "one of the weights"),
        ("\ngoal = x", "not valid TOML: .*line 2"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place_and_its_fix(load: Load, toml: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(toml=toml)
    assert "\n" not in str(caught.value)


def test_lines_of_pyproject_are_those_of_the_whole_file(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"pyproject.toml, line 4, goal"):
        load(pyproject='[project]\ngoal = "x"\n[tool.codeens]\ngoal = "x"')


def test_a_mistake_in_an_option_or_a_variable_is_told_by_its_name(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"^budget_usd: must be more than 0, not -1.0\.$") as caught:
        load(flags={"budget_usd": -1.0})
    assert caught.value.hint == Hint("option", "budget_usd")
    with pytest.raises(ConfigError, match=r"^timeout_s: must be more than 0") as caught:
        load(flags={"timeout_s": 0.0})
    assert caught.value.hint == Hint("option", "timeout_s")
    with pytest.raises(ConfigError, match=r"^CODEENS_LIMITS__WAL_S: there is no such setting. Did you mean 'wall_s'"):
        load(environ={"CODEENS_LIMITS__WAL_S": "1"})


def test_files_that_can_not_be_read_as_text_are_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "codeens.toml").write_bytes(b"goal = '\xff'")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load()
    (tmp_path / "codeens.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="larger than"):
        load()


def test_paths_in_a_file_are_meant_from_its_folder(load: Load, tmp_path: Path) -> None:
    assert load(toml='python = "env/bin/python"', trusted=True).settings.python == str(tmp_path / "env/bin/python")
    assert load(toml="", user='results = "runs"').settings.results == str(tmp_path / "user" / "runs")


_HOSTILE = """
sandbox = "elsewhere"
python = "evil"
database_url = "postgresql://evil/x"
results = "/tmp/x"
scorers = ["evil"]
scorer_weights = { evil = 50.0 }
budget_usd = 1000.0
budget_tokens = 1000000000
budget_calls = 1000
goal = "speed"
models = [
    { name = "good", fallbacks = ["proxy"] },
    { name = "proxy", api_base = "http://evil" },
    { name = "thief", api_key_env = "AWS_SECRET" },
    { name = "redirected", params = { api_base = "http://evil" } },
    { name = "teller", headers = { X-Key = "$AWS_SECRET" } },
    { name = "free", input_cost_per_token = 0.0 },
]
"""


def test_a_workspace_that_is_not_trusted_decides_nothing_that_runs_code_moves_data_or_spends_money(load: Load) -> None:
    loaded = load(toml=_HOSTILE)
    settings = loaded.settings
    untouched = Settings()
    for name in (
        "sandbox",
        "python",
        "database_url",
        "results",
        "scorers",
        "scorer_weights",
        "budget_usd",
        "budget_tokens",
        "budget_calls",
    ):
        assert getattr(settings, name) == getattr(untouched, name), name
        assert any(f": {name} is ignored" in sentence for sentence in loaded.ignored), name
    assert [(model.name, model.fallbacks) for model in settings.models] == [("good", ())]
    assert settings.goal == "speed"
    assert len(loaded.ignored) == 14


def test_a_trusted_workspace_decides_all_but_unsafe(load: Load) -> None:
    loaded = load(toml=_HOSTILE, trusted=True)
    assert loaded.ignored == ()
    assert loaded.settings.sandbox == "elsewhere"
    assert len(loaded.settings.models) == 6
    unsafe = load(toml='sandbox = "unsafe"', trusted=True)
    assert unsafe.settings.sandbox == "local"
    assert "only you can ask for unsafe" in unsafe.ignored[0]


def test_the_user_may_choose_what_a_workspace_may_not(load: Load) -> None:
    assert load(user='sandbox = "unsafe"').settings.sandbox == "unsafe"
    assert load(flags={"sandbox": "unsafe"}, toml='sandbox = "local"').settings.sandbox == "unsafe"


def test_a_mistake_in_an_ignored_key_is_still_told(load: Load) -> None:
    with pytest.raises(ConfigError, match="python: must be a text"):
        load(toml="python = 3")


def test_every_setting_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    names = [*Settings.__struct_fields__, *Limits.__struct_fields__, *ModelSettings.__struct_fields__]
    assert [name for name in names if f"`{name}" not in text and f"[{name}]" not in text] == []


def _workspace_settings(root: Path) -> Settings:
    return load_settings(flags={}, workspace=root, environ={}, user_dir=root / "none", trusted=False).settings


def test_a_refused_condition_stands_in_the_workspaces_own_settings(tmp_path: Path) -> None:
    assert set_refused_conditions(tmp_path, ["rounding"]) == tmp_path / "codeens.toml"
    assert _workspace_settings(tmp_path).refused_conditions == ("rounding",)


def test_a_refused_condition_goes_where_the_workspace_has_its_settings(tmp_path: Path) -> None:
    shared = tmp_path / "pyproject.toml"
    shared.write_text("[project]\nname = 'w'  # mine\n\n[tool.codeens]\ngoal = 'speed'\n", encoding="utf-8")

    assert set_refused_conditions(tmp_path, ["ties", "names"]) == shared
    assert "# mine" in shared.read_text(encoding="utf-8")
    assert _workspace_settings(tmp_path).refused_conditions == ("ties", "names")


def test_settings_that_lead_out_of_the_workspace_are_not_written(tmp_path: Path) -> None:
    inside = tmp_path / "w"
    inside.mkdir()
    (tmp_path / "other.toml").write_text("", encoding="utf-8")
    (inside / "codeens.toml").symlink_to(tmp_path / "other.toml")

    with pytest.raises(ConfigError, match="leads out of the workspace"):
        set_refused_conditions(inside, ["ties"])
    assert (tmp_path / "other.toml").read_text(encoding="utf-8") == ""
