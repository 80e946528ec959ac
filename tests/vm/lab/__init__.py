"""Virtual machines for tests: their image, cards and cables, orders to them, and IPOP in them. What
runs in namespaces (tests/netns) runs in them, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "netns"))
