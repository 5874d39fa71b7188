"""The command `codeens`. Nothing that takes long to import is imported here."""

from __future__ import annotations

import click

from codeens_server.cli.lazy import Later, LazyGroup


class Codeens(LazyGroup):
    """The outermost group: what goes wrong inside is told here."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            from platformdirs import user_data_path

            from codeens_server.cli.failures import told

            raise told(error, log=user_data_path("codeens", appauthor=False) / "codeens.log") from error


@click.group(cls=Codeens, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="codeens", message="%(prog)s %(version)s")
def main() -> None:
    """Better implementations of a Python function, run in a sandbox and proven."""


for _command in (
    Later("run", "codeens_server.cli.run:run", "Ask an ensemble for a better function."),
    Later("score", "codeens_server.cli.score:score", "Judge given candidates on a task file."),
    Later("bench", "codeens_server.cli.bench:bench", "Score samples of public data sets."),
    Later("variants", "codeens_server.cli.variants:variants", "List, show, check and switch prompt variants."),
    Later("runs", "codeens_server.cli.runs:runs", "Look at earlier runs, and apply their results."),
    Later("sandbox", "codeens_server.cli.sandbox:sandbox", "List sandbox backends, and check that they hold."),
    Later("doctor", "codeens_server.cli.doctor:doctor", "Say what works on this machine, and how to mend the rest."),
):
    main.add_command(_command)
