"""A process imports the module of its own command, and no other's."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

import pytest

from vonggac_appliance import cli
from vonggac_appliance.cli_common import Parser, nest

COMMANDS = [command for adds in cli.MODULES.values() for command in adds]


@pytest.mark.parametrize("module", cli.MODULES)
def test_a_module_adds_what_the_table_says(module: str) -> None:
    commands = nest(Parser())
    importlib.import_module(f"vonggac_appliance.{module}").add(commands)
    assert tuple(commands.choices) == cli.MODULES[module]


@pytest.mark.parametrize("command", [None, "no-such-command"])
def test_without_a_command_there_are_all_of_them(command: str | None) -> None:
    (action,) = [
        one for one in cli.parser(command)._actions if isinstance(one, argparse._SubParsersAction)
    ]
    assert list(action.choices) == COMMANDS


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["record"], "record"),
        (["--home", "audit", "record"], "record"),
        (["--home=audit", "record", "--help"], "record"),
        (["--home", "record"], None),
        (["--help", "record"], None),
        ([], None),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option(
    words: list[str], command: str | None
) -> None:
    assert cli._command_of(words) == command


def test_the_parser_of_a_command_imports_no_other_commands() -> None:
    code = (
        "import sys\n"
        "from vonggac_appliance import cli\n"
        "cli.parser('audit')\n"
        "print(*sorted(m for m in sys.modules if m.startswith('vonggac_appliance.cli_')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    names = printed.stdout.decode().split()
    assert names == ["vonggac_appliance.cli_audit", "vonggac_appliance.cli_common"]
