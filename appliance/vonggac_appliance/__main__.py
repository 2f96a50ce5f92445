"""`python -m vonggac_appliance` is `vonggac`."""

from __future__ import annotations

import sys

from vonggac_appliance.cli import main

if __name__ == "__main__":
    sys.exit(main())
