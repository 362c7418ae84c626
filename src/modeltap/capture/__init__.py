"""The hot path: any tabular value becomes a frame in the spool before ``collect()`` returns."""
