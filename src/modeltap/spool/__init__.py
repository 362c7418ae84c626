"""Rows on local disk between ``collect()`` and the store: format, recovery, bounds."""
