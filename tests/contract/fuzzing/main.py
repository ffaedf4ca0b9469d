"""One run of schemathesis: a fresh installation, one caller, one engine. `tests/contract/fuzz` makes all eight.

    main.py --caller admin|viewer|token|contact --work FOLDER [--database URL] [--examples N] [--seed N] [--document FILE]
            [--cover all|agents|others|none] [--cover-right]

--cover says through which operations the coverage phase goes, which tries every parameter and member by itself: all, the lists that a
sales agent may call, the others, or none. With --cover-right it sends there what is right alone.

With --document the answers are held against that file, not against what the server says of itself: this is how the net is seen to
catch something.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import seeds  # noqa: E402
from installation import WORKSPACE, Installation, program  # noqa: E402

# Where a word is wanted that no generator comes upon, and what the schema says of it is not enough.
WORDS = {
    "body.slug": "slug", "body.workspace": "workspace", "body.timezone": "timezone", "body.locale": "locale", "body.currency": "currency",
    "body.default_currency": "currency", "body.role": "role", "body.scopes.[*]": "scope", "body.permissions.[*]": "scope",
    "body.settings.second_factor_roles.[*]": "role",
}
PROBABILITY = 0.75
# What contacts do in the portal, and how they come in: nobody of the staff does it.
CONTACTS = {
    "portal_login", "portal_refresh", "set_portal_password", "portal_logout", "change_portal_password", "get_portal_me",
    "list_portal_sessions", "end_portal_sessions", "end_portal_session", "switch_portal_client", "get_company_profile", "update_company_profile",
}
# Of these, what a run as a contact must have succeeded in.
OF_A_CONTACT = {
    "get_portal_me", "switch_portal_client", "get_company_profile", "update_company_profile", "portal_logout", "list_portal_sessions",
    "end_portal_sessions", "end_portal_session",
}
# Contacts who end sessions of theirs, which nobody else needs: each once, and all at once.
ENDS_IN_PORTAL = {"one": "portal-ends-one@example.com", "all": "portal-ends-all@example.com"}
# What no request can succeed in here, however it is made up.
OUT_OF_REACH = {
    # it works once, and was used to make the installation: 409 ever after
    "set_up",
    # a link is signed
    "follow_file_link",
    # whoever changes their password must know it, and ends the sessions that the run works with
    "change_my_password",
    # its token goes by mail
    "reset_password",
    # it must be a report of a mail server on a mail that was sent
    "receive_mail_bounce",
    # what is uploaded must be on a record of its type and in a folder of that record, which chance brings together now and then; the seeds
    # of every run go in by it
    "upload_file",
    # a code of an authenticator app, and what takes one; nobody here has a second factor
    "confirm_my_second_factor", "renew_my_recovery_codes", "disable_my_second_factor", "reset_user_second_factor",
    # whoever does these is a contact, and another run
    *CONTACTS,
    # it takes the very name of whoever is erased
    "erase_contact", "erase_client",
    # no job of this installation is dead, and none waits long enough to be called off
    "retry_job", "cancel_job",
}


def caller_of(name, installation, seeded):
    """The bearer token that is used, and what of the caller's own must outlive the run."""
    admin = installation.admin
    if name == "contact":
        for address in ENDS_IN_PORTAL.values():
            ends = installation.contact(address, seeded.kept_client)
            if address == ENDS_IN_PORTAL["one"]:
                seeded.kept["end_portal_session"] = {"session_id": seeds.sessions_of(installation.sign_in_to_portal, ends, "/v1/portal")}
        return installation.contact("portal@example.com", seeded.kept_client), {}
    if name == "token":
        # the records are the administrator's, so they are the token's "own"
        caller, own_token = installation.token(admin, permissions_of_agents(installation))
        return caller, {"token_id": own_token}
    own = {"workspace_id": next(w["id"] for w in admin.get("/v1/workspaces")["data"] if w["slug"] == WORKSPACE)}
    caller = admin if name == "admin" else installation.member("nikos@example.com", "viewer")
    own["user_id"] = caller.user_id
    own["membership_id"] = next(m["id"] for m in admin.get("/v1/memberships")["data"] if m["user_id"] == caller.user_id)
    return caller, own


def permissions_of_agents(installation):
    """What a sales agent may: their rows are narrowed to their own."""
    return next(role for role in installation.admin.get("/v1/roles")["data"] if role["key"] == "sales_agent")["permissions"]


def not_covered(cover, installation):
    """The operations that the coverage phase passes over: all but the lists that a sales agent may call, or these."""
    held = set(permissions_of_agents(installation))
    passed_over = []
    for path in installation.admin.get("/openapi.json")["paths"].values():
        for operation in path.values():
            ways = operation["x-permission"].split(" | ")
            by_agents = operation["operationId"].startswith("list_") and any(held.issuperset(way.split(" & ")) for way in ways)
            if by_agents == (cover == "others"):
                passed_over.append(operation["operationId"])
    return passed_over


def phases(cover):
    """The phases of the run. Where nothing is covered, that phase is not there at all: for an operation with settings of its own
    schemathesis puts them together anew for each value that it draws."""
    return ["examples", *([] if cover == "none" else ["coverage"]), "fuzzing", "stateful"]


def configuration(options, installation, words):
    """The committed configuration, and after it what the coverage phase passes over and the words of this installation. The phase can be
    switched off for an operation, but not on where it is off for all."""
    cover = options.cover
    lines = [(HERE / "schemathesis.toml").read_text(encoding="utf-8")]
    if options.cover_right:
        lines.append('[phases.coverage.generation]\nmode = "positive"')
    if cover in ("agents", "others"):
        passed_over = json.dumps(not_covered(cover, installation))
        lines.append(f"[[operations]]\ninclude-operation-id = {passed_over}\n[operations.phases.coverage]\nenabled = false")
    lines += [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in words.items()]
    lines.append("[parameters]")
    lines += [f'"{where}" = {{ dictionary = "{name}", probability = {PROBABILITY} }}' for where, name in WORDS.items()]
    return "\n".join(lines) + "\n"


def run(options, installation):
    seeded = seeds.seed(installation)
    caller, own = caller_of(options.caller, installation, seeded)
    config = options.work / "schemathesis.toml"
    words = seeds.words(installation, caller, seeded.kept, options.caller == "contact")
    config.write_text(configuration(options, installation, words), encoding="utf-8")
    notes = options.work / "notes.json"
    answers = options.work / "answers.json"
    notes.write_text(json.dumps({
        "own": own, "spare": {name: seeded.ids[name][0] for name in own}, "base": installation.base, "email": caller.email,
        "password": installation.password, "answers": str(answers), "clients_of": seeded.clients_of, "ids": seeded.ids,
        "kept": seeded.kept, "signed_in_as": seeded.signed_in_as, "caller": options.caller,
        "ends_in_portal": ENDS_IN_PORTAL if options.caller == "contact" else dict.fromkeys(ENDS_IN_PORTAL, caller.email), "kept_client": seeded.kept_client, "workspace": WORKSPACE,
    }), encoding="utf-8")
    location = [str(options.document), "--url", installation.base] if options.document else [f"{installation.base}/openapi.json"]
    environment = {
        **os.environ, "PELATIS_CONTRACT_BEARER": caller.token, "PELATIS_CONTRACT_NOTES": str(notes),
        "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "NO_PROXY": "*", "PYTHONHASHSEED": "0",
    }
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", *location,
        "--max-examples", str(options.examples), "--seed", str(options.seed), "--no-color", "--phases", ",".join(phases(options.cover)),
        "--report", "junit", "--report-junit-path", str(options.work / "junit.xml"),
    ]
    code = subprocess.run(command, cwd=options.work, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    if not installation.is_running():
        raise SystemExit("fuzz: the server is gone")
    # had the caller been locked out, every later answer would have been a good one
    caller.get("/v1/portal/me" if options.caller == "contact" else "/v1/me")
    return max(code, judge(options, json.loads(answers.read_text(encoding="utf-8"))))


def judge(options, seen):
    """What schemathesis does not say: whether the phases really ran, and the operations were really reached."""
    answers = seen["operations"]
    idle = [phase for phase in phases(options.cover) if phase != "examples" and not seen["phases"].get(phase)]
    if idle:
        print(f"fuzz: these phases made no request: {', '.join(idle)}")
        return 1
    total = sum(sum(statuses.values()) for statuses in answers.values())
    errors = sum(count for statuses in answers.values() for status, count in statuses.items() if status.startswith("5"))
    succeeded = {name for name, statuses in answers.items() if any(status.startswith("2") for status in statuses)}
    print(f"fuzz: {options.caller}: {total} requests, {errors} server errors, {len(succeeded)} of {len(answers)} operations succeeded")
    wanted = {"admin": set(answers) - OUT_OF_REACH, "contact": OF_A_CONTACT}.get(options.caller, set())
    missed = sorted(wanted - succeeded)
    if missed:
        print(f"fuzz: no request succeeded for: {', '.join(missed)}")
        return 1
    return 1 if errors else 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--caller", choices=["admin", "viewer", "token", "contact"], required=True)
    options.add_argument("--work", type=Path, required=True)
    options.add_argument("--database")
    options.add_argument("--examples", type=int, default=10)
    options.add_argument("--seed", type=int, default=20261121)
    options.add_argument("--document", type=Path)
    options.add_argument("--cover", choices=["all", "agents", "others", "none"], default="all")
    options.add_argument("--cover-right", action="store_true")
    options = options.parse_args()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    with Installation(program(), options.work / "server", options.database) as installation:
        return run(options, installation)


if __name__ == "__main__":
    sys.exit(main())
