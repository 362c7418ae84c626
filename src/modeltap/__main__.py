"""``python -m modeltap`` is the same as ``modeltap``."""

import sys

from modeltap.cli import main

sys.exit(main())
