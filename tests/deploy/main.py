"""The parts of tests/deploy/run that are in Python; see README.md beside it.

    main.py checks | planted | proxy | broken-proxy | site | broken-site     ends with 1 where something is wrong, and says what

PELATIS_BIN is the program, PELATIS_TEST_POSTGRES a PostgreSQL for the sites, and the last argument an empty folder.
"""

import os
import signal
import sys
import time
from pathlib import Path

from checks import all_faults, planted, units
from checks.files import Tree


def checks(_):
    return [f"{rule}: {what}" for rule, what in all_faults(Tree())]


def faults_planted(_):
    # without systemd's own checks these two rules find nothing
    return planted.unnoticed(() if units.is_there() else ("verify", "exposure"))


def proxy(folder):
    from live import front

    return front.keeps_its_promises(os.environ["PELATIS_BIN"], folder)


def broken_proxy(folder):
    from live import front

    return front.unnoticed(os.environ["PELATIS_BIN"], folder)


def site(folder):
    from live import site as whole

    weed = Path(sys.executable).with_name("weed")
    try:
        whole.run(os.environ["PELATIS_BIN"], weed, os.environ["PELATIS_TEST_POSTGRES"], folder)
    except AssertionError as error:
        return [f"{error} (line {error.__traceback__.tb_next.tb_lineno} of run in live/site.py)"]
    return []


def broken_site(folder):
    from live import site as whole

    weed = Path(sys.executable).with_name("weed")
    return whole.unnoticed(os.environ["PELATIS_BIN"], weed, os.environ["PELATIS_TEST_POSTGRES"], folder)


PARTS = {
    "checks": checks, "planted": faults_planted, "proxy": proxy, "broken-proxy": broken_proxy, "site": site, "broken-site": broken_site,
}


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in PARTS:
        print(__doc__, file=sys.stderr)
        return 2
    # an end like any other: what was started is ended on the way out
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    wrong = PARTS[arguments[0]](Path(arguments[1]))
    for line in wrong:
        print(f"deploy: {arguments[0]}: {line}")
    if not wrong:
        print(f"deploy: {arguments[0]}: well, {time.monotonic() - began:.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
