"""The parts of ``modeltap demo``: a folder as a user would have it, a service, its traffic, and the count afterwards."""
