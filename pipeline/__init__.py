"""The customer's side of two-way SMS; see README.md."""
