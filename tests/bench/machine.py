"""The machine and the versions of everything, in words."""

import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path


def describe(phasegrid, device):
    """[(what, which)]."""
    lines = [
        ("date", datetime.now(timezone.utc).strftime("%Y-%m-%d")),
        ("processor", f"{processor()}, {os.cpu_count()} cores"),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"),
        ("system", f"{system()}, Linux {platform.release().split('-')[0]}"),
        ("phasegrid", f"{output([phasegrid, '--version']).split()[-1]}, commit {commit()}"),
        ("peers", f"Python {platform.python_version()}, " + ", ".join(filter(None, map(version, PACKAGES)))),
    ]
    if device != "cpu":
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        lines.insert(3, ("GPU", output(query).strip().replace("\n", "; ")))
    return lines


PACKAGES = {"torch": "PyTorch", "ray": "Ray", "jax": "JAX", "numpy": "NumPy"}


def version(package):
    """Name and version of an installed package; nothing if it is not there."""
    try:
        return f"{PACKAGES[package]} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return None


def processor():
    """Its model name."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def system():
    """Name of the distribution."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def commit():
    """Of the checkout, with a mark if tracked files differ from it."""
    here = Path(__file__).resolve().parent
    return output(["git", "-C", here, "describe", "--always", "--dirty", "--exclude", "*"]).strip() or "unknown"


def output(command):
    """What a command prints; nothing if it fails."""
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
