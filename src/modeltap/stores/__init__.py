"""Where collected rows live: one small contract (``base``), and the backends that keep it."""
