"""`twoway demo`: a real two-way conversation through a real stack."""
