"""Staff accounts on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from models import terminal
from models.account import Permission, Role
from models.errors import Invalid

app = typer.Typer(no_args_is_help=True, help="Staff accounts and tokens for programs.")


@app.command("add")
def add(
    username: str,
    role: Annotated[Role, typer.Option()],
    division: Annotated[str, typer.Option(help="Six digits, for example 510729.")],
    name: Annotated[str, typer.Option()] = "",
    languages: Annotated[str, typer.Option(help="BCP-47 tags, separated by commas.")] = "",
    permissions: Annotated[
        str, typer.Option(help="Of identity, originals, export; separated by commas.")
    ] = "",
    unit: Annotated[str, typer.Option(help="Code of the unit whose staff they are.")] = "",
    rounds: Annotated[
        str, typer.Option(help="Inspection rounds they work in, separated by commas; * for all.")
    ] = "",
    identity: Annotated[
        str, typer.Option(help="What the OpenID Connect provider calls them (sub).")
    ] = "",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)
    ] = "",
) -> None:
    """Add a member of staff; the password is asked for."""
    from models import accounts
    from models.database import open_database, writing

    engine, keys = open_database(terminal.settings())
    with writing(engine) as session:
        added = accounts.add(
            session,
            keys,
            username=username,
            password=password,
            role=role,
            division_code=division,
            name=name,
            unit_code=unit or None,
            rounds=terminal.listed(rounds),
            languages=terminal.listed(languages),
            permissions=_permissions(permissions),
        )
        if identity:
            accounts.tie(session, keys, added, identity)
    typer.echo(f"Added {username}.")


@app.command("change")
def change(
    username: str,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a new one; it lifts a lock.")
    ] = False,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="Close the account, or open it again.")
    ] = None,
    permissions: Annotated[
        str | None, typer.Option(help='Exactly these of identity, originals, export; "" for none.')
    ] = None,
    languages: Annotated[str | None, typer.Option(help="Exactly these BCP-47 tags.")] = None,
    rounds: Annotated[str | None, typer.Option(help="Exactly these inspection rounds.")] = None,
    identity: Annotated[
        str | None, typer.Option(help='What the OpenID Connect provider calls them; "" to untie.')
    ] = None,
    drop_second_factor: Annotated[
        bool, typer.Option("--drop-second-factor", help="For somebody who lost their phone.")
    ] = False,
) -> None:
    """Change what somebody may do, or how they get in; what is not named stays."""
    from models import accounts
    from models.database import open_database, writing

    engine, keys = open_database(terminal.settings())
    fresh = ""
    if password:
        fresh = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    with writing(engine) as session:
        account = accounts.by_name(session, username)
        if fresh:
            accounts.set_password(session, keys, account, fresh)
        if disabled is not None:
            accounts.set_disabled(session, keys, account, disabled)
        if permissions is not None:
            accounts.set_permissions(session, keys, account, _permissions(permissions))
        if languages is not None:
            accounts.set_languages(session, keys, account, terminal.listed(languages))
        if rounds is not None:
            accounts.set_rounds(session, keys, account, terminal.listed(rounds))
        if identity is not None:
            accounts.tie(session, keys, account, identity)
        if drop_second_factor:
            accounts.drop_second_factor(session, keys, account)
    typer.echo(f"Changed {username}.")


@app.command("token")
def token(username: str, label: Annotated[str, typer.Option(help="What it is for.")] = "") -> None:
    """Make a bearer token for a program that acts for an account; it is shown once."""
    from models import accounts, tokens
    from models.database import open_database, writing

    engine, keys = open_database(terminal.settings())
    with writing(engine) as session:
        account = accounts.by_name(session, username)
        typer.echo(tokens.issue(session, keys, account, name=label))


def _permissions(written: str) -> list[Permission]:
    """Read permissions; raise Invalid for what is none."""
    known = {one.value: one for one in Permission}
    wanted = terminal.listed(written)
    strange = [one for one in wanted if one not in known]
    if strange:
        names = ", ".join(known)
        raise Invalid(
            f"没有权限 {strange[0]}，可用的是 {names}。",
            f"There is no permission {strange[0]}: use {names}.",
            code="unknown_permission",
        )
    return [known[one] for one in wanted]
