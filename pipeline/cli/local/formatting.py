"""Formats the data folder of a broker as Kafka's tool did before, without starting Java for it.

The tool writes two files: the ids of the cluster, the node and the folder (KIP-631), and the first
records of a cluster, which name its features (KIP-778). The records are the same for all clusters
of one version, so they are kept beside the jars (deploy/decisions/0134).
"""

from __future__ import annotations

import os
import shutil
import uuid
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.jars import kept_beside_jars

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT: Final = "bootstrap.checkpoint"
META_PROPERTIES: Final = "meta.properties"
#: In the record of a feature, its level follows its name (FeatureLevelRecord of KIP-584).
_METADATA_VERSION: Final = b"metadata.version"


def kept_checkpoint() -> Path:
    """Where the first records of a new cluster are kept."""
    return kept_beside_jars("checkpoint")


def new_id() -> str:
    """16 random octets, as Kafka writes the id of a cluster or of a folder."""
    return urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def format_as_before(data: Path, properties: Path, *, cluster_id: str) -> bool:
    """Format a folder for the node of `properties`; False if the tool has to make the first."""
    kept = kept_checkpoint()
    if not kept.is_file():
        return False
    lines = properties.read_text().splitlines()
    node = [line for line in lines if line.startswith("node.id=")][-1]  # the last one counts
    ids = ("version=1", f"cluster.id={cluster_id}", node, f"directory.id={new_id()}")
    shutil.copyfile(kept, data / CHECKPOINT)
    draft = data / f"{META_PROPERTIES}.new"
    draft.write_text("".join(f"{line}\n" for line in ids))
    draft.replace(data / META_PROPERTIES)  # a folder with this file is formatted
    return True


def metadata_level(data: Path) -> int:
    """The metadata.version by which the folder was formatted; 0 if it does not say."""
    try:
        octets = (data / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return 0
    _, named, after = octets.partition(_METADATA_VERSION)
    return int.from_bytes(after[:2], "big") if named else 0


def keep_format_of(data: Path) -> None:
    """Keep the first records of a folder that the tool has formatted."""
    kept = kept_checkpoint()
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")
    shutil.copyfile(data / CHECKPOINT, draft)
    draft.replace(kept)  # whoever looks finds it whole
