"""`apis check` and `apis try`: the file of APIs, and whether one can be used now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.sender.apis.api import UnusableApi
from pipeline.sender.apis.file import ApisError, apis_file, apis_from_file, default_of
from pipeline.sender.way import ProbeFailed

if TYPE_CHECKING:
    from pipeline.sender.apis.api import Api

File = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The file; apis.toml of the home without it.")
]
Named = Annotated[str, typer.Argument(metavar="API", help="The api_id.")]


def check_apis(file: File = None, json: Json = False, home: Home = None) -> None:
    """Check a file of APIs and say what is in it; nothing is connected to."""
    settings = settings_from(home=home)
    apis = _apis(file or apis_file(settings))
    default = default_of(apis)
    for api in apis:
        where = api.url or f"{api.host}:{api.port}"
        if json:
            print_json_line(
                {
                    "api_id": api.api_id,
                    "way": api.way.value,
                    "where": where,
                    "parts_per_second": api.rate or None,
                    "window": api.window,
                    "is_default": api.api_id == default,
                }
            )
            continue
        rate = f"{api.rate:g} parts/s" if api.rate else "no limit"
        marks = ", the default" if api.api_id == default else ""
        say(f"{api.api_id}: {api.way.value} to {where}, {rate}, window {api.window}{marks}")
    if not default and not json:
        say("commands without an api_id wait: no API is the default")


def try_api(api_id: Named, home: Home = None) -> None:
    """Connect to an API and log in; nothing is sent."""
    settings = settings_from(home=home)
    apis = _apis(apis_file(settings))
    api = next((each for each in apis if each.api_id == api_id), None)
    if api is None:
        there = ", ".join(each.api_id for each in apis)
        raise CommandError(f"there is no API {api_id}; there are {there}")
    say(f"{api.api_id}: {asyncio.run(_probe(api))}")


async def _probe(api: Api) -> str:
    from pipeline.sender.ways.make import way_of

    try:
        way = way_of(api)
    except UnusableApi as error:
        raise CommandError(str(error)) from error
    try:
        return await way.probe()
    except ProbeFailed as error:
        raise CommandError(f"{api.api_id}: {error}") from error
    finally:
        await way.close()


def _apis(file: Path) -> list[Api]:
    try:
        return apis_from_file(file)
    except ApisError as error:
        raise CommandError(str(error)) from error
