"""From the spool to the store: CSV text of frames, ledger, commit decision, shipper."""
