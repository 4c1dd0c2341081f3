"""Creates the topics on the broker of the settings; Compose runs it with `python -m`.

With the setting kafka_reader_password it also makes the user of programs of others.
"""

from __future__ import annotations

from contextlib import closing

from kafka import KafkaAdminClient

from pipeline.home.stack import bootstrap_of
from pipeline.kafka.acls import let_in
from pipeline.kafka.admin import create_topics
from pipeline.kafka.login.options import kafka_python_options
from pipeline.process.log_guard import log_to_stderr
from pipeline.settings import load_settings


def main() -> None:
    """Create every topic; raises `TopicsError` or `AclsError` if that is not possible."""
    settings = load_settings()
    log_to_stderr(settings)
    bootstrap = bootstrap_of(settings)
    create_topics(bootstrap, settings)
    if password := settings.kafka_reader_password:
        with closing(KafkaAdminClient(**kafka_python_options(bootstrap))) as admin:
            let_in(admin, "reader", password)


if __name__ == "__main__":
    main()
