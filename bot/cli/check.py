"""One check of a command that examines an installation, and its line."""

from dataclasses import dataclass

from bot.cli import console


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The outcome of one check."""

    name: str
    outcome: str  # how it is; what to do, where it is not well
    is_well: bool = True


def failed(name: str, outcome: str) -> Check:
    """Make the outcome of a check that something is not well at."""
    return Check(name=name, outcome=outcome, is_well=False)


def print_check(check: Check) -> None:
    """Print the line of a check."""
    sign = "[green]ok [/green]" if check.is_well else "[red]NOT[/red]"
    console.print(sign, end=" ", markup=True)
    console.print(f"{check.name}: {check.outcome}", soft_wrap=True)
