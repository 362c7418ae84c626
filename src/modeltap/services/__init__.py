"""The small documents beside the data: format, schemas, catalog, and who writes."""
