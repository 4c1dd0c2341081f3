"""The customer's side of two-way SMS; see README.md."""

from pipeline import compiled

compiled.prefer()
