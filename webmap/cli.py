"""The command ``territory serve``, which the library finds by the entry points of this package.

Everything heavy is imported inside it, so that ``territory --help`` is quick.
"""

from __future__ import annotations

from datetime import UTC, datetime

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="PORT",
    default=8000,
    show_default=True,
    help="0 takes a free one. Also from $PORT.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.pass_obj
def serve(store_url: str | None, *, host: str, port: int, workers: int) -> None:
    """Serve the pages until stopped with Ctrl+C; for the example company, print how to come in.

    The host is this machine alone unless $TERRITORY_HOSTS names those under which others ask.

    \b
    Example:
      territory serve --port 8080
    """
    from territory.store import open_store
    from webmap import server

    with open_store(store_url) as store:
        url = store.url
    server.serve(url, host, port, workers=workers, tell=lambda address: _ready(url, address))


def _ready(store_url: str, address: str) -> None:
    """Say where the pages are and how to come in."""
    from territory.access import users
    from territory.store import open_store
    from webmap import server

    click.echo(f"Serving {address}  (Ctrl+C stops it)")
    with open_store(store_url) as store:
        links = server.demo_links(store, address, now=datetime.now(UTC))
        is_new = not links and not users.users(store)
    if links:
        click.echo("Sign in to the example company; each link works once, on this machine only:")
    for name, link in links:
        click.echo(f"  {name:<24}  {link}")
    if is_new:
        click.echo(
            "Nobody can sign in yet. Make the first admin: "
            "territory user add you@example.com --name You --role admin"
        )
