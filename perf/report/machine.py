"""What was measured, where and when: without it no figure can be compared with another."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def describe() -> dict:
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "kernel": platform.release(),
            "system": pretty_name(), "commit": commit(),
            "date": datetime.date.today().isoformat()}


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.machine()


def pretty_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def commit() -> str:
    """With "-dirty" if files were changed since; empty outside of a git tree."""
    # The clone may belong to another user than root, who runs this.
    outcome = subprocess.run(
        ["git", "-c", "safe.directory=*", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False)
    return outcome.stdout.strip()
