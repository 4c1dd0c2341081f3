"""A process waits for the broker before its Faust app runs, or reports that there is none."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from pipeline.engine.faust import app
from pipeline.settings import Settings


class Stopped(Exception):
    pass


@pytest.fixture
def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(autouse=True)
def no_patience(monkeypatch) -> None:
    def stop(reason: str) -> None:
        raise Stopped(reason)

    monkeypatch.setattr(app, "stop_for", stop)
    monkeypatch.setattr(app, "BROKER_SECONDS", 0.1)
    monkeypatch.setattr(app, "KNOCK_SECONDS", 0.01)


def test_a_broker_that_does_not_answer_ends_the_process_in_one_sentence(closed_port):
    with pytest.raises(Stopped) as stopped:
        app.wait_for_broker([("127.0.0.1", closed_port)])
    assert "no broker answers" in str(stopped.value)
    assert f"127.0.0.1:{closed_port}: Connection refused" in str(stopped.value)


def test_one_server_of_several_is_enough(closed_port):
    with socket.create_server(("127.0.0.1", 0)) as server:
        app.wait_for_broker([("127.0.0.1", closed_port), server.getsockname()])


def test_a_broker_that_comes_a_little_later_is_waited_for(monkeypatch, closed_port):
    answers = iter(["refused", "refused", ""])
    monkeypatch.setattr(app, "_knock", lambda _server: next(answers))
    monkeypatch.setattr(app, "BROKER_SECONDS", 60.0)
    app.wait_for_broker([("127.0.0.1", closed_port)])
    assert next(answers, None) is None


def test_no_library_makes_lines_that_nobody_asked_for(tmp_path):
    settings = Settings(home=tmp_path, log_level="warning")
    made = app.create_faust_app("quiet", bootstrap="127.0.0.1:1", settings=settings)
    loop = asyncio.new_event_loop()
    try:
        worker = app.worker_of(made, loop, settings)
        logger = logging.getLogger("instead-of-the-root")
        logger.setLevel(logging.WARNING)
        logger.addHandler(logging.NullHandler())
        worker.on_setup_root_logger(logger, logging.WARNING)
        assert logger.level == logging.WARNING
    finally:
        loop.close()
