"""A network namespace in which there is nothing but the loopback, for programs that listen on every interface."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

COMMAND = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]


def can_be_made():
    """Whether this user may make one here."""
    return bool(shutil.which(COMMAND[0])) and subprocess.run([*COMMAND, "true"], capture_output=True).returncode == 0


def enter():
    """Starts this program again in a network namespace, or, there, brings up the loopback."""
    outside = os.environ.setdefault("PHASEGRID_BENCH_NAMESPACE", os.readlink("/proc/self/ns/net"))
    if os.readlink("/proc/self/ns/net") == outside:
        os.execvp(COMMAND[0], [*COMMAND, sys.executable, *sys.argv])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        get_flags, set_flags, up = 0x8913, 0x8914, 1
        answer = fcntl.ioctl(any_socket, get_flags, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))
