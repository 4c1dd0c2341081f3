"""`ftp`: the process that fetches mo.log."""

from pipeline.cli.terminal.options import Home, settings_from
from pipeline.process.loading import loading


def ftp(home: Home = None) -> None:
    """Fetch new lines of the gateway's log, mo.log, from an FTP server.

    After a restart it continues at the last octet, also if the log was rotated. Settings name the
    server, the user and the log: ftp_host, ftp_user, ftp_password, ftp_path and so on.
    """
    settings = settings_from(home=home)
    with loading():
        from ingest.ftp import process

    process.run(settings)
