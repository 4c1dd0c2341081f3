"""`ftp`, the process that fetches mo.log."""

from pipeline.cli.terminal.options import Home, settings_from


def ftp(home: Home = None) -> None:
    """Fetch what the gateway appends to its log, mo.log, on an FTP server.

    It goes on where it was, also after the log was rotated. The server, the user and the log are
    settings: ftp_host, ftp_user, ftp_password, ftp_path and so on.
    """
    settings = settings_from(home=home)
    from ingest.ftp import process

    process.run(settings)
