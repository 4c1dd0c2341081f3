"""`smpp`, the process that receives over SMPP."""

from pipeline.cli.terminal.options import Home, settings_from


def smpp(home: Home = None) -> None:
    """Bind to the gateway as an SMPP receiver and take what it delivers.

    It answers each deliver_sm once Kafka has it. The gateway, the way to bind and the password are
    settings: smpp_host, smpp_port, smpp_system_id, smpp_password and so on.
    """
    settings = settings_from(home=home)
    from ingest.smpp import process

    process.run(settings)
