"""The agent: ships the spool of a host, as a process of its own or as a thread."""
