"""Files that Compose, Docker and Kubernetes mount into one container alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MOUNTED_SECRETS: Final = Path("/run/secrets")


def is_mounted(path: Path) -> bool:
    """Whether a file is such a mount.

    It belongs to another user than the process: Compose lets everybody in the container read it,
    and Kubernetes the group of the pod. So its mode says nothing about who else may read it.
    """
    return path.resolve().is_relative_to(MOUNTED_SECRETS)
