"""The records that are there before schemathesis begins, so that ids are hit and lists have something to list."""

import subprocess
import time

from installation import WORKSPACE

CLIENTS = 12
# of them, and of as many contacts, these are archived: half to be purged and half to be restored, or one would come before the other
ARCHIVED = 6
NOTES = 3
OTHERS = 12


def seed(installation):
    """Makes them as the administrator. Returns their ids by the name of the path parameter, those of archived ones by what is
    to be done with them, and to which client each belongs."""
    admin = installation.admin
    ids = {name: [] for name in (
        "client_id", "contact_id", "note_id", "tag_id", "token_id", "invitation_id", "membership_id", "user_id", "workspace_id",
        "import_id", "file_id", "folder_id",
    )}
    clients_of = {}

    def made(name, path, body):
        record = admin.post(path, body)
        ids[name].append(record["id"])
        return record["id"]

    for number in range(OTHERS):
        made("tag_id", "/v1/tags", {"name": f"Tag {number}", "colour": "#d4af37"})
        made("token_id", "/v1/tokens", {"name": f"Export {number}", "scopes": ["clients.view_all"], "networks": ["192.0.2.0/24"]})
        # half of them are there to be accepted
        accepting = {"email": f"accepting-{number}@example.com", "role": "viewer", "given_name": "Άννα", "family_name": "Παπά"}
        admin.post("/v1/invitations", accepting)
        made("invitation_id", "/v1/invitations", {"email": f"invited-{number}@example.com", "role": "viewer"})
        # a contact that no client has yet, to be linked
        made("contact_id", "/v1/contacts", {"given_name": f"Άννα {number}"})
        # a file on no record, to be archived: one on an archived client stays as it is
        ids["file_id"].append(admin.upload(f"loose-{number}.txt", f"Loose {number}")["id"])
    for number in range(2):
        made("workspace_id", "/v1/workspaces", {"slug": f"spare-{number}", "name": f"Spare {number}"})
    for number in range(CLIENTS):
        client = made("client_id", "/v1/clients", {
            "kind": "company", "name": f"Πελάτης {number}", "emails": [{"kind": "work", "address": f"info-{number}@example.com"}],
            "main_address": {"line1": "Σταδίου 1", "city": "Αθήνα", "country": "GR"},
        })
        contact = made("contact_id", "/v1/contacts", {
            "given_name": f"Ελένη {number}", "emails": [{"kind": "work", "address": f"eleni-{number}@example.com"}],
        })
        clients_of[contact] = clients_of[ids["tag_id"][number]] = client
        admin.post(f"/v1/clients/{client}/contacts", {"contact_id": contact, "role": "Billing", "influence": "decision_maker"})
        admin.post(f"/v1/clients/{client}/tags", {"tag_id": ids["tag_id"][number]})
        made("folder_id", "/v1/folders", {"name": f"Folder {number}", "rel_type": "client", "rel_id": client})
        ids["file_id"].append(admin.upload(f"{number}.txt", f"File {number}", rel_type="client", rel_id=client)["id"])
        for note in range(NOTES):
            clients_of[made("note_id", f"/v1/clients/{client}/notes", {"body": f"Note {note}"})] = client
    # the first contacts are those that no client has
    archived = {"purge": {}, "restore": {}}
    for name, records in (("client_id", "clients"), ("contact_id", "contacts"), ("file_id", "files")):
        for record in ids[name][:ARCHIVED]:
            admin.send("DELETE", f"/v1/{records}/{record}")
        archived["purge"][name] = ids[name][: ARCHIVED // 2]
        archived["restore"][name] = ids[name][ARCHIVED // 2 : ARCHIVED]
    for number in range(3):
        installation.member(f"colleague-{number}@example.com", "viewer")
    others = [membership for membership in admin.get("/v1/memberships")["data"] if membership["user_id"] != admin.user_id]
    ids["membership_id"] += [membership["id"] for membership in others]
    ids["user_id"] += [membership["user_id"] for membership in others]
    import_clients(installation)
    import_over_http(admin)
    ids["import_id"] += [run["id"] for run in admin.get("/v1/imports?limit=200")["data"]]
    return ids, archived, clients_of


def import_clients(installation):
    """An import with a good row and a wrong one."""
    file = installation.folder / "clients.csv"
    file.write_text("name;email;contact first name\nΑφοί Παπά;info@papa.example;Ελένη\nWrong;no address;\n", encoding="utf-8")
    subprocess.run(
        [installation.program, "import", "csv", str(file), "--workspace", WORKSPACE, "--as", installation.admin.email],
        cwd=installation.folder, env=installation.settings, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )


def import_over_http(admin):
    """Imports that wait to be approved, and some that have written something."""
    def wait(run, state):
        began = time.monotonic()
        while admin.get(f"/v1/imports/{run}")["state"] != state:
            if time.monotonic() - began > 60:
                raise RuntimeError(f"the import {run} does not become {state}")
            time.sleep(0.05)

    runs = []
    for number in range(2 * OTHERS):
        text = f"name;email\nImported {number};imported-{number}@example.com\nWrong;no address\n"
        runs.append(admin.upload("clients.csv", text, to="/v1/clients/imports", source=f"source {number}")["id"])
    for run in runs:
        wait(run, "staged")
    for run in runs[:OTHERS]:
        admin.post(f"/v1/imports/{run}/approve")
    for run in runs[:OTHERS]:
        wait(run, "finished")


def words(installation, caller):
    """Words that no generator comes upon: those that sign in, and those that work once."""
    sessions = [installation.sign_in(caller.email) for _ in range(OTHERS)]
    return {
        "email": [caller.email],
        "password": [installation.password],
        "refresh_token": [session.refresh_token for session in sessions],
        "invitation_token": installation.invitation_tokens("accepting-"),
        "slug": [f"branch-{number}" for number in range(100)],
        "timezone": ["Europe/Athens", "UTC"],
        "locale": ["el", "en-GB"],
        "currency": ["EUR", "USD"],
        "role": ["viewer", "sales_agent"],
        "scope": ["clients.view_all", "contacts.view"],
    }
