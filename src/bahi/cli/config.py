"""`bahi config`: what can be set while the house runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.terminal import AsJson, in_house, show_json, show_table
from bahi.kernel.actor import the_house
from bahi.kernel.clock import ist_text
from bahi.kernel.errors import Invalid

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.settings.model import Config

app = typer.Typer(help="What can be set while the house runs.", no_args_is_help=True)

WHO = the_house("terminal")
Name = Annotated[str, typer.Argument(help="category.key: trading.max_positions")]


@app.command("list")
def list_(
    category: Annotated[str | None, typer.Argument(help="One category; without it, all.")] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Those too that do not count any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show settings; a sensitive one as ***."""
    from bahi.settings.service import get_all_configs  # noqa: PLC0415 - for who asks

    async def look(house: House) -> list[Config]:
        return await house.stores["main"].read(
            lambda tx: get_all_configs(tx, inactive_too=every), fresh=True
        )

    found = [it for it in in_house(look) if category in {None, it.category}]
    if as_json:
        show_json([_said(it) for it in found])
        return
    rows = [(it.name, _shown(it), it.data_type, it.version, it.description or "") for it in found]
    show_table(("setting", "value", "type", "version", "meaning"), rows)


@app.command()
def get(name: Name, *, as_json: AsJson = False) -> None:
    """Show one setting."""
    from bahi.settings.service import get_config  # noqa: PLC0415

    category, key = _parts(name)

    async def look(house: House) -> Config:
        return await house.stores["main"].read(get_config, category, key, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(_said(found))
    else:
        typer.echo(_shown(found))


@app.command("set")
def set_(
    name: Name,
    value: Annotated[
        str | None, typer.Argument(help="The value; without it, read from standard input.")
    ] = None,
    *,
    data_type: Annotated[
        str | None, typer.Option("--type", help="string, integer, boolean or json.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    sensitive: Annotated[
        bool, typer.Option("--sensitive", help="Seal it, and never show it again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set a setting; in effect in every process within a second."""
    from bahi.settings.model import Wish  # noqa: PLC0415
    from bahi.settings.service import set_config  # noqa: PLC0415

    category, key = _parts(name)
    wish = Wish(
        category=category,
        key=key,
        value=_asked_for(name) if value is None else value,
        data_type=data_type,
        description=description,
        sensitive=sensitive,
    )

    async def change(house: House) -> Config:
        return await house.stores["main"].write(set_config, house.vault, WHO, wish, house.clock())

    done = in_house(change)
    if as_json:
        show_json(_said(done))
    else:
        typer.echo(f"{done.name} is {_shown(done)} (version {done.version}).")


@app.command()
def unset(name: Name, *, as_json: AsJson = False) -> None:
    """Have a setting count no longer; what is built in counts again."""
    from bahi.settings.service import deactivate_config  # noqa: PLC0415

    category, key = _parts(name)

    async def change(house: House) -> Config:
        return await house.stores["main"].write(
            deactivate_config, WHO, category, key, house.clock()
        )

    done = in_house(change)
    if as_json:
        show_json(_said(done))
    else:
        typer.echo(f"{done.name} does not count any more.")


def _parts(name: str) -> tuple[str, str]:
    category, point, key = name.partition(".")
    if not point:
        raise Invalid(f"{name[:60]!r} is no setting; write category.key: trading.max_positions.")
    return category, key


def _asked_for(name: str) -> str:
    """Read a value that should stand in no history of commands."""
    if sys.stdin.isatty():
        secret: str = typer.prompt(name, hide_input=True, err=True)
        return secret
    return sys.stdin.readline().rstrip("\r\n")


def _shown(it: Config) -> str:
    if isinstance(it.value, bool):
        return "true" if it.value else "false"
    return str(it.value)


def _said(it: Config) -> dict[str, Any]:
    return {
        "category": it.category,
        "key": it.key,
        "value": it.value,
        "data_type": it.data_type,
        "description": it.description,
        "sensitive": it.is_sensitive,
        "active": it.is_active,
        "version": it.version,
        "updated_at": ist_text(it.updated_at),
        "updated_by": it.updated_by,
    }
