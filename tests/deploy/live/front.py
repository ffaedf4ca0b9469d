"""The run of proxy.py: the program on SQLite, nginx before it, every promise; or every promise with its fault planted."""

import sys
import time
from pathlib import Path

from checks.files import ROOT, Tree

from . import proxy, upstream
from .nginx import API, CONF, Nginx
from .processes import Processes

sys.path.insert(0, str(ROOT / "tests/contract"))
from installation import Installation  # noqa: E402


def served(program, folder):
    """The program as it is behind a proxy on the same machine."""
    installation = Installation(program, folder)
    installation.settings.update({"PELATIS_TRUSTED_PROXIES": "127.0.0.1/32", "PELATIS_PUBLIC_URL": f"https://{API}"})
    return installation


def address(installation):
    return installation.base.removeprefix("http://")


def keeps_its_promises(program, folder):
    """Every promise; returns what is broken."""
    broken = []
    with Processes() as processes, served(program, Path(folder) / "server") as installation:
        nginx = Nginx(processes, Tree(), Path(folder) / "nginx", address(installation), "127.0.0.1:9")
        front = proxy.Front(nginx, installation)
        for promise in proxy.PROMISES:
            try:
                promise(front)
            except Exception as error:
                broken.append(f"{promise.__name__}: {type(error).__name__}: {error}")
        broken += upstream.broken(processes, Path(folder))
        # the server away: nginx says so as the server would
        installation.process.terminate()
        installation.process.wait(40)
        try:
            away = front.client().get("/v1/clients")
            away.problem(503, "unavailable")
            assert away.header("retry-after") == "5", away.headers
        except Exception as error:
            broken.append(f"the server away: {type(error).__name__}: {error}")
        ended = nginx.stop()
        if ended != 0:
            broken.append(f"nginx ended with {ended}")
    return broken


def unnoticed(program, folder):
    """The planted faults that break no promise."""
    found = []
    with Processes() as processes, served(program, Path(folder) / "server") as installation:
        tls = None
        for number, (promise, old, new) in enumerate(proxy.BREAKING):
            nginx = Nginx(processes, Tree().with_fault(CONF, old, new), Path(folder) / f"nginx-{number}", address(installation), "127.0.0.1:9", tls)
            tls = nginx.authority
            began = time.monotonic()
            try:
                promise(proxy.Front(nginx, installation))
                found.append(f"{CONF}: {old!r} as {new!r} is not found by {promise.__name__}")
            except Exception as error:
                print(f"  {promise.__name__}, {time.monotonic() - began:.1f} s: {str(error)[:120]!r}", file=sys.stderr)
            nginx.stop()
    return found
