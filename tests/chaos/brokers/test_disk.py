"""A disk that is filled refuses what is written, and takes it again once it was freed."""

from __future__ import annotations

import errno

import pytest

from tests.chaos.brokers.disk import Disk


def test_a_full_disk_refuses_and_a_freed_one_takes(tmp_path):
    disk = Disk(tmp_path / "disk")
    if why_not := disk.mount():
        pytest.skip(f"no disk can be mounted: {why_not}")
    file = tmp_path / "disk" / "file"
    try:
        file.write_bytes(bytes(100_000))
        disk.fill()
        with pytest.raises(OSError, match="No space left") as refused, file.open("ab") as more:
            more.write(bytes(100_000))
        assert refused.value.errno == errno.ENOSPC
        disk.free()
        file.write_bytes(bytes(1_000_000))
    finally:
        disk.unmount()
