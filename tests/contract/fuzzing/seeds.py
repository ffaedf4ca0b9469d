"""The records that are there before schemathesis begins, so that ids are hit and lists have something to list."""

import base64
import subprocess
import time
from dataclasses import dataclass

from installation import WORKSPACE

CLIENTS = 12
# of them, and of as many contacts, these are archived
ARCHIVED = 6
NOTES = 3
OTHERS = 12
# how often an operation that works once for each record finds one that no other operation was at before
KEPT = 6
# one pixel
IMAGE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")


@dataclass
class Seeds:
    """What there is: ids by the name of the path parameter; what is kept for one operation, by its id and the name of the parameter
    or member; the client that some of it is of; and to which client a record belongs."""

    ids: dict
    kept: dict
    kept_client: str
    clients_of: dict
    # whose sessions an operation ends
    signed_in_as: dict


def seed(installation):
    """Makes them as the administrator."""
    admin = installation.admin
    ids = {name: [] for name in (
        "client_id", "contact_id", "note_id", "tag_id", "token_id", "invitation_id", "membership_id", "user_id", "workspace_id",
        "import_id", "file_id", "folder_id", "role_id", "team_id", "interaction_id", "relationship_id", "client_group_id",
        "view_id", "brand_id", "acquisition_stage_id", "custom_field_id", "client_duplicate_id",
    )}
    clients_of = {}

    def made(name, path, body):
        record = admin.post(path, body)
        ids[name].append(record["id"])
        return record["id"]

    for number in range(OTHERS):
        made("brand_id", "/v1/brands", {"name": f"Brand {number}", "accent_color": "#1b4f8f"})
        made("tag_id", "/v1/tags", {"name": f"Tag {number}", "colour": "#d4af37"})
        made("client_group_id", "/v1/client-groups", {"name": f"Group {number}"})
        made("token_id", "/v1/tokens", {"name": f"Export {number}", "scopes": ["clients.view_all"], "networks": ["192.0.2.0/24"]})
        # half of them are there to be accepted
        accepting = {"email": f"accepting-{number}@example.com", "role": "viewer", "given_name": "Άννα", "family_name": "Παπά"}
        admin.post("/v1/invitations", accepting)
        made("invitation_id", "/v1/invitations", {"email": f"invited-{number}@example.com", "role": "viewer"})
        # a contact that no client has yet, to be linked
        made("contact_id", "/v1/contacts", {"given_name": f"Άννα {number}"})
        # a file on no record, to be archived: one on an archived client stays as it is
        ids["file_id"].append(admin.upload(f"loose-{number}.txt", f"Loose {number}")["id"])
        made("role_id", "/v1/roles", {"key": f"made_{number}", "name": f"Made {number}", "permissions": ["clients.view_all"]})
    for number in range(2):
        made("workspace_id", "/v1/workspaces", {"slug": f"spare-{number}", "name": f"Spare {number}"})
    for number in range(CLIENTS):
        client = made("client_id", "/v1/clients", {
            # most of them are persons, of whom all that is known can be exported
            "kind": "person" if number % 4 else "company", "name": f"Πελάτης {number}", "emails": [{"kind": "work", "address": f"info-{number}@example.com"}],
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
        made("interaction_id", "/v1/interactions", {
            "client_id": client, "contact_id": contact, "channel": "phone", "follow_up_at": "2026-11-21T09:30:00Z",
        })
        for note in range(NOTES):
            clients_of[made("note_id", f"/v1/clients/{client}/notes", {"body": f"Note {note}"})] = client
    # the first contacts are those that no client has
    kept = {}
    for record, records in (("client", "clients"), ("contact", "contacts"), ("file", "files")):
        archived = ids[f"{record}_id"][:ARCHIVED]
        for one in archived:
            admin.send("DELETE", f"/v1/{records}/{one}")
        # half to be purged and half to be restored, or one would come before the other
        kept[f"purge_{record}"] = {f"{record}_id": archived[: ARCHIVED // 2]}
        kept[f"restore_{record}"] = {f"{record}_id": archived[ARCHIVED // 2 :]}
    kept_client = admin.post("/v1/clients", {"kind": "company", "name": "Καλλιτεχνική"})["id"]
    kept |= keep_for_client(admin, kept_client, clients_of)
    kept |= keep_portal(admin, ids, kept_client) | keep_merges(admin) | keep_duplicates(admin, ids)
    kept |= keep_relationships(admin, ids) | keep_interactions(admin, kept_client) | keep_groups(admin, kept_client, clients_of)
    for number in range(3):
        installation.member(f"colleague-{number}@example.com", "viewer")
    others = [membership for membership in admin.get("/v1/memberships")["data"] if membership["user_id"] != admin.user_id]
    ids["membership_id"] += [membership["id"] for membership in others]
    ids["user_id"] += [membership["user_id"] for membership in others]
    kept |= keep_roles(admin) | keep_teams(admin, ids) | keep_admins(admin, ids["user_id"][0])
    # nobody gives clients to themselves
    kept["transfer_clients"] = {"from_user_id": ids["user_id"][1:2], "to_user_id": ids["user_id"][:1]}
    kept |= keep_views(admin, ids) | keep_tags(admin) | keep_brands(admin) | keep_custom_fields(admin, ids) | keep_tokens(admin)
    sessions, signed_in_as = keep_sessions(installation)
    kept |= sessions
    kept["delete_membership"] = {"membership_id": [membership["id"] for membership in keep_members(installation)]}
    import_clients(installation)
    staged, finished = import_over_http(admin)
    for number, operation in enumerate(("cancel_import", "update_import", "approve_import")):
        kept[operation] = {"import_id": staged[number::3]}
    kept["undo_import"] = {"import_id": finished[:KEPT]}
    spoken_for = {*staged, *finished[:KEPT]}
    ids["import_id"] += [run["id"] for run in admin.get("/v1/imports?limit=200")["data"] if run["id"] not in spoken_for]
    kept["accept_invitation"] = {"token": installation.invitation_tokens("accepting-")}
    kept["create_workspace"] = {"slug": [f"branch-{number}" for number in range(1000)]}
    # a mail is sent by a job
    ids["job_id"] = [job["id"] for job in admin.get("/v1/admin/jobs")["data"]]
    return Seeds(ids, kept, kept_client, clients_of, signed_in_as)


def keep_relationships(admin, ids):
    """Relationships, those that are deleted, and clients that can still be related: each principal with the distributor at its place."""
    def clients(what, role):
        body = {"kind": "company", "roles": [role]}
        return [admin.post("/v1/clients", body | {"name": f"{what} {number}"})["id"] for number in range(OTHERS)]

    def relate(one, other):
        return admin.post("/v1/client-relationships", {"kind": "supplier", "from_client_id": one, "to_client_id": other})["id"]

    ones, others = clients("Principal", "principal"), clients("Distributor", "distributor")
    ids["relationship_id"] += [relate(one, other) for one, other in zip(ones, others)]
    deleted = [relate(other, one) for one, other in zip(ones[:KEPT], others[:KEPT])]
    return {
        "create_client_relationship": {"from_client_id": clients("Begins", "principal"), "to_client_id": clients("Sells", "distributor")},
        "delete_client_relationship": {"relationship_id": deleted},
    }


def keep_interactions(admin, client):
    """Interactions that are archived, and those that are restored."""
    kept = [admin.post("/v1/interactions", {"client_id": client, "channel": "email"})["id"] for _ in range(2 * KEPT)]
    for one in kept[KEPT:]:
        admin.send("DELETE", f"/v1/interactions/{one}")
    return {"archive_interaction": {"interaction_id": kept[:KEPT]}, "restore_interaction": {"interaction_id": kept[KEPT:]}}


def keep_merges(admin):
    """Pairs of clients, each at its place: those that are merged, one that is looked at, and those that are one already."""
    def pairs(many):
        made = [admin.post("/v1/clients", {"kind": "company", "name": f"Twin {number}"})["id"] for number in range(2 * many)]
        return {"client_id": made[:many], "merged_id": made[many:]}

    undone = pairs(KEPT)
    for one, other in zip(undone["client_id"], undone["merged_id"]):
        admin.post(f"/v1/clients/{one}/merge", {"merged_id": other})
    return {"merge_client": pairs(KEPT), "preview_client_merge": pairs(1), "undo_client_merge": undone}


def keep_duplicates(admin, ids):
    """Pairs of clients that may be one: those that are dismissed, those that were, and others."""
    def pair(number):
        body = {"kind": "company", "name": f"Όμοιος {number}"}
        one, other = admin.post("/v1/clients", body), admin.post("/v1/clients", body)
        assert other["duplicates"][0]["client"]["id"] == one["id"]
        return admin.get(f"/v1/client-duplicates?client_id={one['id']}")["data"][0]["id"]

    found = [pair(number) for number in range(3 * KEPT)]
    for one in found[KEPT : 2 * KEPT]:
        admin.send("DELETE", f"/v1/client-duplicates/{one}")
    ids["client_duplicate_id"] += found[2 * KEPT :]
    return {
        "dismiss_client_duplicate": {"client_duplicate_id": found[:KEPT]},
        "restore_client_duplicate": {"client_duplicate_id": found[KEPT : 2 * KEPT]},
    }


def keep_stages(admin, ids):
    """Stages that are deleted, and others that are there."""
    stages = [
        admin.post("/v1/acquisition-stages", {"key": f"kept_{number}", "name": f"Kept {number}"})["id"] for number in range(2 * KEPT)
    ]
    ids["acquisition_stage_id"] += stages[KEPT:]
    return stages[:KEPT]


def keep_portal(admin, ids, client):
    """Contacts of one client: those that are invited, and those that are invited already."""
    def contact(number):
        made = admin.post("/v1/contacts", {"given_name": "Άννα", "emails": [{"kind": "work", "address": f"portal-{number}@example.com"}]})
        admin.post(f"/v1/clients/{client}/contacts", {"contact_id": made["id"]})
        return made["id"]

    contacts = [contact(number) for number in range(3 * KEPT)]
    for one in contacts[KEPT:]:
        admin.post(f"/v1/contacts/{one}/portal/invitation", {})
    return {
        "delete_acquisition_stage": {"acquisition_stage_id": keep_stages(admin, ids)},
        "invite_contact": {"contact_id": contacts[:KEPT]}, "update_contact_portal": {"contact_id": contacts[KEPT : 2 * KEPT]},
        "update_contact_portal_client": {"contact_id": contacts[2 * KEPT :], "client_id": [client]},
        "switch_portal_client": {"client_id": [client]},
    }


def keep_groups(admin, client, clients_of):
    """Groups that a client is taken out of."""
    groups = [admin.post("/v1/client-groups", {"name": f"Kept {number}"})["id"] for number in range(KEPT)]
    for group in groups:
        admin.post(f"/v1/clients/{client}/groups", {"client_group_id": group})
        clients_of[group] = client
    return {"remove_client_from_group": {"client_group_id": groups}}


def keep_admins(admin, user):
    """Clients that somebody is responsible for no longer."""
    clients = [admin.post("/v1/clients", {"kind": "company", "name": f"Cared for {number}"})["id"] for number in range(KEPT)]
    for client in clients:
        admin.post(f"/v1/clients/{client}/admins", {"user_id": user})
    return {"remove_client_admin": {"client_id": clients, "user_id": [user]}}


def keep_brands(admin):
    """Brands that go, those that are away (the default is another), and one with pictures on it, as its logos must be."""
    brands = [admin.post("/v1/brands", {"name": f"Goes {number}"})["id"] for number in range(3 * KEPT)]
    for brand in brands[KEPT:]:
        admin.send("DELETE", f"/v1/brands/{brand}")
    shown = admin.post("/v1/brands", {"name": "Shown"})["id"]
    logos = [admin.upload(f"logo-{number}.png", IMAGE, rel_type="brand", rel_id=shown)["id"] for number in range(2)]
    return {
        "update_brand": {
            "brand_id": [shown], "logo_light_file_id": logos, "logo_dark_file_id": logos, "logo_circular_file_id": logos,
        },
        "archive_brand": {"brand_id": brands[:KEPT]}, "restore_brand": {"brand_id": brands[KEPT : 2 * KEPT]},
        "purge_brand": {"brand_id": brands[2 * KEPT :]},
    }


def keep_custom_fields(admin, ids):
    """Fields that are put away, brought back and purged, and some that stay. Only contacts get new ones, and none that they must have:
    otherwise hardly a client or contact could be made any more."""
    def field(key, **more):
        body = {"record_type": "contact", "key": key, "label": key, "field_type": "text"} | more
        return admin.post("/v1/custom-fields", body)["id"]

    ids["custom_field_id"] += [field(f"stays_{number}", record_type="client") for number in range(OTHERS)]
    fields = [field(f"kept_{number}") for number in range(3 * KEPT)]
    for one in fields[KEPT:]:
        admin.send("DELETE", f"/v1/custom-fields/{one}")
    return {
        "create_custom_field": {"record_type": ["contact"], "key": [f"made_{number}" for number in range(1000)], "field_type": ["text", "date"]},
        "archive_custom_field": {"custom_field_id": fields[:KEPT]}, "restore_custom_field": {"custom_field_id": fields[KEPT : 2 * KEPT]},
        "purge_custom_field": {"custom_field_id": fields[2 * KEPT :]},
    }


def keep_tokens(admin):
    """Tokens that nobody switches off: of one that has ended there is no other secret."""
    tokens = [admin.post("/v1/tokens", {"name": f"Kept {number}", "scopes": ["clients.view_all"]})["id"] for number in range(KEPT)]
    return {"rotate_token": {"token_id": tokens}}


def keep_roles(admin):
    """Roles that are deleted, and roles of the installation with something over them. The administrator's has nothing over it."""
    deleted = [
        admin.post("/v1/roles", {"key": f"goes_{number}", "name": f"Goes {number}", "permissions": []})["id"] for number in range(KEPT)
    ]
    system = {role["key"]: role["id"] for role in admin.get("/v1/roles")["data"] if role["is_system"]}
    for key in ("director", "sales_manager", "support_lead", "support_agent"):
        admin.send("PATCH", f"/v1/roles/{system[key]}/override", {"permissions": {"leads": {"delete": True}}})
    return {
        "delete_role": {"role_id": deleted},
        "get_role_override": {"role_id": [system["support_agent"]]},
        "update_role_override": {"role_id": [system["support_agent"]]},
        "delete_role_override": {"role_id": [system[key] for key in ("director", "sales_manager", "support_lead")]},
    }


def keep_teams(admin, ids):
    """Teams with every colleague in them, and those that lose one, get one, or go."""
    def team(name, members):
        made = admin.post("/v1/teams", {"name": name})["id"]
        for member in members:
            admin.post(f"/v1/teams/{made}/members", {"user_id": member})
        return made

    for number in range(OTHERS):
        ids["team_id"].append(team(f"Team {number}", ids["user_id"]))
    return {
        "remove_team_member": {"team_id": [team(f"Loses {number}", ids["user_id"]) for number in range(KEPT)]},
        "add_team_member": {"team_id": [team(f"Gets {number}", []) for number in range(KEPT)]},
        "delete_team": {"team_id": [team(f"Goes {number}", []) for number in range(KEPT)]},
    }


def keep_views(admin, ids):
    """Views of what one finds, and those that go. What one is made for is a list that there is."""
    def view(name):
        asked = {"filters": {"status": "active"}, "sort": ["-created_at"], "columns": ["name", "status"]}
        return admin.post("/v1/saved-views", {"list": "clients", "name": name, "sharing": "workspace", "query": asked})["id"]

    ids["view_id"] += [view(f"View {number}") for number in range(OTHERS)]
    return {
        "create_saved_view": {"list": ["clients", "contacts"]},
        "delete_saved_view": {"view_id": [view(f"Goes {number}") for number in range(KEPT)]},
    }


def keep_tags(admin):
    """Tags that are merged into others."""
    def tags(name, count):
        return [admin.post("/v1/tags", {"name": f"{name} {number}"})["id"] for number in range(count)]

    return {"merge_tag": {"tag_id": tags("Merged", KEPT), "into": tags("Stays", 3)}}


def sessions_of(sign_in, caller, door="/v1"):
    """The ids of sessions that are opened for a caller beside the one that they are on."""
    for _ in range(KEPT):
        sign_in(caller.email)
    return [session["id"] for session in caller.get(f"{door}/me/sessions?limit=200")["data"] if not session["is_current"]]


def keep_sessions(installation):
    """Colleagues who are signed in many times, each for an operation that ends sessions."""
    mine, others, theirs = (installation.member(f"signed-in-{number}@example.com", "viewer") for number in range(3))

    kept = {
        "end_my_session": {"session_id": sessions_of(installation.sign_in, mine)},
        "end_user_session": {"session_id": sessions_of(installation.sign_in, theirs), "user_id": [theirs.user_id]},
    }
    return kept, {"end_my_session": mine.email, "end_my_sessions": others.email}


def keep_for_client(admin, client, clients_of):
    """What is taken from a client once."""

    def made(path, body):
        record = admin.post(path, body)["id"]
        clients_of[record] = client
        return record

    notes = [made(f"/v1/clients/{client}/notes", {"body": f"Kept {number}"}) for number in range(2 * KEPT)]
    for note in notes[KEPT:]:
        admin.send("DELETE", f"/v1/clients/{client}/notes/{note}")
    tags = [made("/v1/tags", {"name": f"Kept {number}", "colour": "#d4af37"}) for number in range(KEPT)]
    for tag in tags:
        admin.post(f"/v1/clients/{client}/tags", {"tag_id": tag})
    contacts = [made("/v1/contacts", {"given_name": f"Κατερίνα {number}"}) for number in range(KEPT)]
    for contact in contacts:
        admin.post(f"/v1/clients/{client}/contacts", {"contact_id": contact})
    folders = [made("/v1/folders", {"name": f"Kept {number}", "rel_type": "client", "rel_id": client}) for number in range(KEPT)]
    image = admin.upload("pixel.png", IMAGE)["id"]
    return {
        "archive_client_note": {"note_id": notes[:KEPT]}, "restore_client_note": {"note_id": notes[KEPT:]},
        "untag_client": {"tag_id": tags}, "unlink_client_contact": {"contact_id": contacts}, "delete_folder": {"folder_id": folders},
        "get_file_thumbnail": {"file_id": [image]},
    }


def keep_members(installation):
    """The memberships of colleagues whom the test does without."""
    leaving = {installation.member(f"leaving-{number}@example.com", "viewer").user_id for number in range(KEPT)}
    return [membership for membership in installation.admin.get("/v1/memberships?limit=200")["data"] if membership["user_id"] in leaving]


def import_clients(installation):
    """An import with a good row and a wrong one."""
    file = installation.folder / "clients.csv"
    file.write_text("name;email;contact first name\nΑφοί Παπά;info@papa.example;Ελένη\nWrong;no address;\n", encoding="utf-8")
    subprocess.run(
        [installation.program, "import", "csv", str(file), "--workspace", WORKSPACE, "--as", installation.admin.email],
        cwd=installation.folder, env=installation.settings, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )


def import_over_http(admin):
    """Imports that wait to be approved, and as many that have written something."""
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
    return runs[OTHERS:], runs[:OTHERS]


def words(installation, caller, kept, is_contact):
    """Words that no generator comes upon: those that sign in, and those that work once."""
    sign_in = installation.sign_in_to_portal if is_contact else installation.sign_in
    sessions = [sign_in(caller.email) for _ in range(OTHERS)]
    return {
        "email": [caller.email],
        "password": [installation.password],
        "refresh_token": [session.refresh_token for session in sessions],
        "invitation_token": kept["accept_invitation"]["token"],
        "slug": kept["create_workspace"]["slug"],
        "workspace": [WORKSPACE],
        "timezone": ["Europe/Athens", "UTC"],
        "locale": ["el", "en-GB"],
        "currency": ["EUR", "USD"],
        "role": ["viewer", "sales_agent"],
        "scope": ["clients.view_all", "contacts.view"],
    }
