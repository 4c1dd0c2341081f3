"""`backup` saves an installation into a folder, and `restore` makes an empty one the same."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.cli.terminal.table import lines_of_table

if TYPE_CHECKING:
    from pipeline.cli.backup.manifest import Manifest

KeyCopy = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="The copy of the suppression key, outside FOLDER.",
        show_default=False,
    ),
]


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to save; a new or empty folder.")
    ],
    key: KeyCopy = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Save an installation into a folder.

    Saved are topics, positions of groups, rows of ClickHouse and files of the home. Every process
    but Kafka and a ClickHouse server must be stopped. Of a local stack stop `up`: the command
    starts its broker for itself. The folder holds messages and secrets. The suppression key is
    saved only with --key, because it belongs apart from the data.
    """
    settings = settings_from(home=home)

    from pipeline.cli.backup.home_files import files_elsewhere
    from pipeline.cli.backup.save import save

    manifest = save(settings, folder, key=key, say=_tell)
    for line in _lines(manifest, as_json=as_json):
        say(line)
    if manifest.key and key is None:
        _tell("the suppression key is not saved: copy it apart from the data, or use --key")
    for name in files_elsewhere(settings):
        _tell(f"not saved, because it is outside the home: {name}")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `backup` has written.")],
    key: KeyCopy = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            "--partitions",
            metavar="N",
            min=1,
            help="A multiple of the backup's partitions. Default: as many as it has.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Restore a backup into an empty installation. Any other is refused.

    Every process but Kafka and a ClickHouse server must be stopped. The backup is checked first,
    and what was restored is read again and compared. If the command is ended on its way, run it
    again; until then `up` and `create_topics` refuse to start.
    """
    settings = settings_from(home=home)

    from pipeline.cli.backup.restore import restore_backup

    done = restore_backup(settings, folder, key=key, partitions=partitions, say=_tell)
    for line in _lines(done.manifest, as_json=as_json):
        say(line)
    for words in done.files:
        _tell(words)
    _tell(f"suppression key: {done.key}")
    _tell(f"restored; it has {done.manifest.partitions} partitions, as the setting must say")


def _tell(words: str) -> None:
    say(words, err=True)


def _lines(manifest: "Manifest", *, as_json: bool) -> list[str]:
    import msgspec

    rows = [
        ("topic", topic, sum(each.seen.records for each in partitions))
        for topic, partitions in manifest.topics.items()
    ]
    rows += [("table", table, saved.rows) for table, saved in manifest.tables.items()]
    rows += [("file", name, 1) for name in manifest.files]
    if as_json:
        found = [{"kind": kind, "name": name, "count": count} for kind, name, count in rows]
        said = {"backup_id": manifest.backup_id, "made_at": manifest.made_at, "saved": found}
        return [msgspec.json.encode(said).decode()]
    shown = [(kind, name, f"{count:,}") for kind, name, count in rows if count]
    return [
        *lines_of_table(("kind", "name", "records"), shown),
        f"backup {manifest.backup_id} of {manifest.made_at}, version {manifest.version}",
    ]
