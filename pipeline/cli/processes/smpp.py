"""`smpp`: the process that receives messages by SMPP."""

from pipeline.cli.terminal.options import Home, settings_from
from pipeline.process.loading import loading


def smpp(home: Home = None) -> None:
    """Bind to the gateway by SMPP and receive messages.

    It answers each deliver_sm once Kafka has it. Settings name the gateway, the bind and the
    password: smpp_host, smpp_port, smpp_system_id, smpp_password and so on.
    """
    settings = settings_from(home=home)
    with loading():
        from ingest.smpp import process

    process.run(settings)
