"""What schemathesis is told about this API beyond the document, and what it may say of it wrongly. Each exception is as narrow as it
can be made and says why; nothing else is let through, and no operation is left out."""

import atexit
import collections
import gc
import hashlib
import json
import os
import threading
import urllib.request
import uuid
from pathlib import Path

import exceptions
import schemathesis

NOTES = json.loads(Path(os.environ["PELATIS_CONTRACT_NOTES"]).read_text(encoding="utf-8"))
BEARER = os.environ["PELATIS_CONTRACT_BEARER"]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# By default Python looks through all that was made each 700 objects, an eighth of a run.
gc.set_threshold(100_000, 20, 100)
# Ids that belong to one operation, and the client that some of them are of.
KEPT = {value for members in NOTES["kept"].values() for values in members.values() for value in values} | {NOTES["kept_client"]}
# What else holds the id of a record. A record of any type is named by its type and its id.
ALIASES = {
    "parent_id": "client_id", "owner_id": "user_id", "rel_id": "client_id", "from_client_id": "client_id", "to_client_id": "client_id",
    "follow_up_by": "user_id", "author_id": "user_id", "to_user_id": "user_id", "from_user_id": "user_id",
}
# With what schemathesis adds of its own, these are fewer than a hundred.
MOST_PARAMETERS = 80
# What ends sessions is done from one of its own, and by somebody whom nothing else needs: the caller's must last.
ENDS_SESSIONS = {
    "POST /v1/auth/logout": NOTES["email"], "POST /v1/portal/logout": NOTES["email"],
    "POST /v1/portal/me/sessions/end": NOTES["ends_in_portal"]["all"],
    "DELETE /v1/portal/me/sessions/{session_id}": NOTES["ends_in_portal"]["one"],
    "POST /v1/me/sessions/end": NOTES["signed_in_as"]["end_my_sessions"],
    "DELETE /v1/me/sessions/{session_id}": NOTES["signed_in_as"]["end_my_session"],
}


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """The caller's token, but where sessions end."""

    def get(self, case, _):
        email = ENDS_SESSIONS.get(case.operation.label)
        if email is None or BEARER.startswith("plt_"):
            return BEARER
        credentials = {"email": email, "password": NOTES["password"], "kind": "app"}
        door = "auth"
        if NOTES["caller"] == "contact":
            known = email if email in NOTES["ends_in_portal"].values() else NOTES["email"]
            credentials, door = credentials | {"email": known, "workspace": NOTES["workspace"]}, "portal"
        body = json.dumps(credentials).encode()
        request = urllib.request.Request(
            f"{NOTES['base']}/v1/{door}/login", data=body, headers={"content-type": "application/json"}, method="POST"
        )
        with DIRECT.open(request, timeout=30) as answer:
            return json.load(answer)["access_token"]

    def set(self, case, bearer, _):
        case.headers["Authorization"] = f"Bearer {bearer}"


def as_it_is(value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.serializer("message/rfc822")
def message(_, value):
    """A mail goes as it is."""
    return as_it_is(value)


@schemathesis.serializer("text/csv")
def table(_, value):
    """So does a table."""
    return as_it_is(value)


@schemathesis.hook
def before_call(context, case, kwargs):
    number = int.from_bytes(digest(case)[:4], "big")
    # Where schemathesis makes one request after the other, it knows whose ids it has, and draws conclusions from a 404.
    in_sequence = case.meta is not None and case.meta.phase.name.value == "stateful"
    if not in_sequence:
        leave_alone_what_is_kept(case, number)
        use_ids_that_exist(case, number)
        go_through_the_client(case)
    spare_ones_own(case)
    stay_at_home(case)
    let_others_work(case)
    choose_the_workspace(case, number)
    match_often(case, number)
    ask_for_less(case, number)
    key_of_the_request(case)


def operation_of(case):
    return case.operation.definition.raw["operationId"]


def digest(*parts):
    """A number that the request alone decides, so that a seed makes the same run again."""
    case = parts[-1]
    request = (*parts[:-1], case.operation.label, case.path_parameters, case.query, case.body, case.headers, case.media_type)
    return hashlib.sha256(repr(request).encode(errors="surrogatepass")).digest()


def is_left_alone(case, number, one_in):
    """Whether this request is one of those that stay as they were made up: where requests are many, which is in the coverage phase."""
    return number % one_in == 0 and case.meta is not None and case.meta.phase.name.value == "coverage"


def leave_alone_what_is_kept(case, number):
    """What is kept for one operation, schemathesis may have seen in a list; another that changes it finds another record instead."""
    if case.method.upper() == "GET" or operation_of(case) in NOTES["kept"]:
        return
    for name, value in (case.path_parameters or {}).items():
        if value in KEPT:
            case.path_parameters[name] = NOTES["ids"][name][number % len(NOTES["ids"][name])]


def use_ids_that_exist(case, number):
    """UUIDs that nobody has become those of a record. What is no UUID stays wrong, and what the server made since it was set up stays
    what it is: it came from an answer."""
    if is_left_alone(case, number, 4):
        return
    # An operation that works once for each record, and finds what is kept for it nowhere else.
    kept = NOTES["kept"].get(operation_of(case), {})
    for place in (case.path_parameters, case.query, case.body):
        if not isinstance(place, dict):
            continue
        for name, value in place.items():
            if name in kept and (is_uuid(value) or value in kept[name]):
                place[name] = kept[name][number // 4 % len(kept[name])]
                continue
            ids = NOTES["ids"].get(ALIASES.get(name, name))
            if ids and is_uuid(value) and is_of_nobody(value):
                place[name] = ids[number // 4 % len(ids)]


def is_uuid(value):
    try:
        return isinstance(value, str) and len(value) == 36 and bool(uuid.UUID(value))
    except ValueError:
        return False


def is_of_nobody(value):
    """The server's ids begin with the time, and hardly any other UUID begins with an hour of today."""
    return value[:6] != NOTES["ids"]["client_id"][0][:6]


def go_through_the_client(case):
    """Ids are drawn each by itself, so that a note would hardly ever be looked for at its own client."""
    path = case.path_parameters or {}
    for name in ("note_id", "contact_id", "tag_id", "client_group_id"):
        client = NOTES["clients_of"].get(str(path.get(name)))
        if client and path.get("client_id") in NOTES["ids"]["client_id"]:
            path["client_id"] = client


def spare_ones_own(case):
    """Whoever deactivates the caller's account, ends its membership, changes its workspace or deletes its token ends the test with
    it. These changes go to a colleague's instead; reads are left alone."""
    if case.method.upper() == "GET" or not case.path_parameters:
        return
    for name, own in NOTES["own"].items():
        if case.path_parameters.get(name) == own:
            case.path_parameters[name] = NOTES["spare"][name]


def stay_at_home(case):
    """Whoever has another workspace by default, or none, is elsewhere in every later request."""
    if operation_of(case) == "update_my_profile" and isinstance(case.body, dict) and "workspace_id" in NOTES["own"]:
        wanted = case.body.get("default_workspace_id", "")
        if wanted is None or is_uuid(wanted):
            case.body["default_workspace_id"] = NOTES["own"]["workspace_id"]


def let_others_work(case):
    """Settings that every later request would be refused by stay as they are."""
    if operation_of(case) not in ("update_settings", "update_installation_settings") or not isinstance(case.body, dict):
        return
    if case.body.get("require_if_match") is True:
        case.body["require_if_match"] = False
    if isinstance(case.body.get("second_factor_roles"), list):
        case.body["second_factor_roles"] = []


def choose_the_workspace(case, number):
    """A workspace of a random name is there for nobody, and all that is wrong with a request would go unnoticed behind its 404; one
    such request in sixteen is enough. A workspace can be changed only from within."""
    named = (case.headers or {}).get("X-Workspace")
    if (case.path_parameters or {}).get("workspace_id") in NOTES["ids"]["workspace_id"]:
        case.headers["X-Workspace"] = case.path_parameters["workspace_id"]
    elif named is not None and not is_left_alone(case, number, 16):
        case.headers["X-Workspace"] = NOTES["workspace"]


def match_often(case, number):
    """An ETag that was made up is stale (412) before anything else is looked at."""
    if not is_left_alone(case, number, 4) and (case.headers or {}).get("If-Match") is not None:
        case.headers["If-Match"] = "*"


def ask_for_less(case, number):
    """A query string may have a hundred parameters (crates/api/src/query.rs), and some lists have more filters than that; with all of
    them at once, as schemathesis likes it, only their number would be refused. It has a part of them at a time."""
    query = case.query or {}
    names = list(query)
    if len(names) > MOST_PARAMETERS:
        begin = number % len(names)
        for name in (names[begin:] + names[:begin])[MOST_PARAMETERS:]:
            del query[name]


def key_of_the_request(case):
    """An Idempotency-Key is refused (422) where another request had it, which no schema can say; and schemathesis sends the same few
    keys with everything. A key that is well-formed becomes one of this key and this request: sent again, it is a repetition."""
    key = (case.headers or {}).get("Idempotency-Key")
    if not isinstance(key, str) or not 1 <= len(key) <= 255 or not all("!" <= letter <= "~" for letter in key):
        return
    case.headers["Idempotency-Key"] = digest(key, case).hex()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    return not exceptions.is_excused(failure, case, response)


# How often each operation was answered with each status: main.py reads it, to see that the net was not cast beside the water.
answers = collections.defaultdict(collections.Counter)
# And how many requests each phase made.
phases = collections.Counter()
lock = threading.Lock()


@schemathesis.hook
def after_call(context, case, response):
    with lock:
        answers[operation_of(case)][response.status_code] += 1
        phases[case.meta.phase.name.value if case.meta is not None else "none"] += 1


@atexit.register
def write_answers():
    Path(NOTES["answers"]).write_text(json.dumps({"operations": answers, "phases": phases}), encoding="utf-8")
