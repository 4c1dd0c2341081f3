"""The commands of `twoway`, one file a command; `pipeline/cli.py` wires them."""
