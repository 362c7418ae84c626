"""Words of the domain, pure and without dependencies: names, keys, schemas, dialect, settings."""
