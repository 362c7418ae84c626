"""``python -m bench [collect] [agent] [burst]``."""

from __future__ import annotations

import os
import platform
import sys

from bench import agent, burst, collect

SUITES = {"collect": collect.report, "agent": agent.report, "burst": burst.report}


def main() -> int:
    """Run the named suites, or all."""
    names = sys.argv[1:] or list(SUITES)
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"bench: no suite is called {unknown[0]!r}; there are: {', '.join(SUITES)}", file=sys.stderr)
        return 2
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors\n")
    for name in names:
        SUITES[name]()
        print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
