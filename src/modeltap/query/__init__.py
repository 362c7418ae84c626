"""Questions to the collected data: how files are read, the virtual dataset, SQL."""
