"""pyftpdlib stands on modules that Python 3.11 deprecates; for 3.12 it has its own."""

from __future__ import annotations

import importlib
import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "The asyn(chat|core) module is deprecated")
    importlib.import_module("pyftpdlib.handlers")
