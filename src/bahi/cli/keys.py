"""`bahi keys`: the keys that secrets are sealed under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.terminal import (
    AsJson,
    Yes,
    confirm,
    in_house,
    progress,
    settings,
    show_json,
    show_table,
)
from bahi.kernel.errors import BahiError, Conflict

if TYPE_CHECKING:
    from bahi.bootstrap import House

app = typer.Typer(help="The keys that secrets are sealed under.", no_args_is_help=True)


class StillUsed(Conflict):
    """There are secrets under this key."""

    code = "key_still_used"


class NotAllOpened(BahiError):
    """Some secrets could not be opened."""

    code = "not_all_opened"


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show every key, and how many secrets are sealed under it."""
    from bahi.db.resealing import census  # noqa: PLC0415 - `bahi --help` needs no database

    async def look(house: House) -> list[dict[str, Any]]:
        sealed = await census(house.stores)
        known, active = house.keyring.key_ids, house.keyring.active
        return [
            {
                "key": key_id,
                "state": "active" if key_id == active else "old" if key_id in known else "missing",
                "secrets": sealed[key_id],
            }
            for key_id in dict.fromkeys((*known, *sealed))
        ]

    found = in_house(look)
    if as_json:
        show_json(found)
    else:
        show_table(("key", "state", "secrets"), [tuple(it.values()) for it in found])


@app.command()
def create(*, yes: Yes = False) -> None:
    """Make a keyring where there is none, even if secrets that nobody can open lie about."""
    from bahi.bootstrap import make_folder  # noqa: PLC0415
    from bahi.kernel.keyring import Keyring  # noqa: PLC0415

    known = settings()
    make_folder(known.home)
    if known.keys is not None or known.keyring.exists():
        raise Conflict("There is a keyring already; `bahi keys rotate` changes its key.")
    confirm(
        "What is sealed already stays sealed, and every API key has to be made anew. Go on?",
        yes=yes,
    )
    typer.echo(f"Key {Keyring.create(known.keyring).active} is in {known.keyring}.")


@app.command()
def rotate(
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Add no key; finish what was interrupted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a key and seal every secret anew under it, while the service runs."""
    from bahi.db.resealing import Resealing, census  # noqa: PLC0415

    async def seal_anew(house: House) -> Resealing:
        active = house.keyring.active if resume else house.keyring.add_key()
        sealed = await census(house.stores)
        with progress("Sealing anew", sealed.total() - sealed[active]) as more:
            return await Resealing(house.vault, active, more).run(house.stores)

    done = in_house(seal_anew)
    if as_json:
        show_json({"key": done.active, "secrets": done.secrets, "broken": done.broken})
    else:
        typer.echo(f"Sealed {_many(done.secrets)} anew under key {done.active}.")
        for broken in done.broken:
            typer.echo(f"  {broken}", err=True)
    if done.broken:
        raise NotAllOpened(
            f"Left as it was what does not open: {_many(len(done.broken))}, named above."
        )


@app.command()
def retire(
    key_id: Annotated[str, typer.Argument(help="The key, as `bahi keys status` names it.")],
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Forget an old key for good, once nothing is sealed under it."""
    from bahi.db.resealing import census  # noqa: PLC0415

    async def let_go(house: House) -> None:
        if left := (await census(house.stores))[key_id]:
            raise StillUsed(
                f"Key {key_id} still seals {_many(left)}; run `bahi keys rotate --resume` first."
            )
        confirm("Backups made under this key will not open any more. Go on?", yes=yes)
        house.keyring.retire(key_id)

    in_house(let_go)
    if as_json:
        show_json({"retired": key_id})
    else:
        typer.echo(f"Key {key_id} is forgotten.")


def _many(secrets: int) -> str:
    return f"{secrets} secret{'s' * (secrets != 1)}"
