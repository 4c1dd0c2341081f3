"""The directory in force is found, whatever else is in its topic."""

from contextlib import nullcontext
from types import SimpleNamespace

from pipeline.avro import single_object
from pipeline.cli.ask import broker, reading
from pipeline.cli.consent.orders import numbers_in_force
from pipeline.directory.directory import numbers_from_toml
from pipeline.records import Clock
from tests.support.mo import NOON, NUMBER


def test_what_is_no_record_of_numbers_is_passed_over(monkeypatch):
    toml = f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\n'
    loaded = numbers_from_toml(toml, origin="a test", loaded_at=NOON)
    tick = single_object.encode(Clock(time=NOON, origin="a test"))
    octets = [None, b"", b"junk", single_object.encode(loaded), tick, b"\xc3\x01" + b"x" * 20]
    records = [SimpleNamespace(value=value) for value in octets]
    monkeypatch.setattr(broker, "open_consumer", lambda _: nullcontext())
    monkeypatch.setattr(reading, "newest_records", lambda *_, **__: records)
    assert numbers_in_force("127.0.0.1:1") == loaded
    records.pop(3)
    assert numbers_in_force("127.0.0.1:1") is None
