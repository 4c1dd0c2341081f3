"""Names of the product's modules get other values, in programs, which have no `monkeypatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


def replace_in(module: ModuleType, **values: Any) -> None:
    """Replace values of the module; raises AttributeError, and replaces none, if a name is new."""
    unknown = sorted(name for name in values if not hasattr(module, name))
    if unknown:
        raise AttributeError(f"{module.__name__} has no {', '.join(unknown)}")
    for name, value in values.items():
        setattr(module, name, value)
