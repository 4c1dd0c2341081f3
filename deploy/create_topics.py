"""Creates the topics on the broker of the settings; Compose runs it with `python -m`."""

from __future__ import annotations

import logging

from pipeline.home.stack import bootstrap_of
from pipeline.kafka.admin import create_topics
from pipeline.settings import load_settings


def main() -> None:
    """Create every topic; raises `TopicsError` if that is not possible."""
    settings = load_settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(message)s")
    create_topics(bootstrap_of(settings), settings)


if __name__ == "__main__":
    main()
