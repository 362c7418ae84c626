"""What people ask of a store: what is there, its first and last rows, and why it may be empty."""
