"""Processes that a test starts, each in a session of its own, and ends by their numbers, whatever happens."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path


def free_ports(count):
    """Ports that nobody listens on, all different, and from where no outgoing connection gets its own."""
    found = []
    while len(found) < count:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            # as servers do it; one that is still being given back is free to them
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def until(what, is_so, seconds=30):
    """Waits until something is so, and returns it; fails when it is not within the time."""
    end = time.monotonic() + seconds
    while True:
        found = is_so()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not so after {seconds} s: {what}")
        time.sleep(0.05)


def listens(port):
    """Whether somebody listens on a port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """One process, with what it says in a file."""

    def __init__(self, name, command, folder, environment):
        self.name = name
        self.log = Path(folder) / f"{name}.log"
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )
        self.pid = self.child.pid

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def is_running(self):
        return self.child.poll() is None

    def says(self, text, seconds=30):
        """Waits until it has said this; fails when it ends before."""

        def said():
            if text in self.text():
                return True
            if not self.is_running():
                raise AssertionError(f"{self.name} ended with {self.child.returncode}:\n{self.text()[-2000:]}")
            return False

        until(f"{self.name} says {text!r}", said, seconds)

    def stop(self, number=signal.SIGTERM, seconds=40):
        """Asks it to end and returns how it did; one that does not within the time is killed."""
        if self.is_running():
            os.kill(self.pid, number)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            # its session is its own, and so is what it started
            os.killpg(self.pid, signal.SIGKILL)
            self.child.wait()
            return None


class Processes:
    """Those of a test. What still runs at its end is ended, newest first."""

    def __init__(self):
        self.all = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.all):
            process.stop(seconds=5)

    def start(self, name, command, folder, environment):
        process = Process(name, command, folder, environment)
        self.all.append(process)
        return process
