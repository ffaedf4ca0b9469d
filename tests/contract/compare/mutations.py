"""The faults that the comparison must find, and the changes that it must let through: each is made to the real document, one at a
time. `tests/contract/breaking` runs them first, so a rule that has gone blind is noticed before it is needed."""

import copy
import json

from .documents import breaking, may_break

CLIENTS = "/v1/clients"
CLIENT = "/v1/clients/{client_id}"


def schema(document, name):
    return document["components"]["schemas"][name]


def members(document, name):
    return schema(document, name)["properties"]


def parameter(document, path, method, name):
    return next(p for p in document["paths"][path][method]["parameters"] if p["name"] == name)


def rename(mapping, old, new):
    mapping[new] = mapping.pop(old)


def rename_schema(document, old, new):
    text = json.dumps(document)
    document.update(json.loads(text.replace(f'/{old}"', f'/{new}"').replace(f'"{old}":', f'"{new}":')))


def operation(path, method):
    return lambda document: document["paths"][path][method]


# (the rule that must say it, what was done, how)
BREAKING = [
    ("path removed", "a path is removed", lambda d: d["paths"].pop("/v1/admin/queues")),
    ("path removed", "a path is renamed", lambda d: rename(d["paths"], CLIENTS, "/v1/customers")),
    ("path removed", "a path parameter is renamed", lambda d: rename(d["paths"], CLIENT, "/v1/clients/{id}")),
    ("operation removed", "a method is removed", lambda d: d["paths"][CLIENT].pop("patch")),
    ("operation id", "an operation is renamed", lambda d: operation(CLIENTS, "get")(d).update(operationId="search_clients")),
    ("sign-in required", "an open operation wants a token", lambda d: operation("/health/live", "get")(d).update(
        security=[{"bearer": []}])),
    ("schema removed", "a schema is renamed", lambda d: rename_schema(d, "ProblemField", "FieldProblem")),
    ("parameter removed", "a filter is removed", lambda d: operation(CLIENTS, "get")(d)["parameters"].remove(
        parameter(d, CLIENTS, "get", "name"))),
    ("parameter removed", "a filter is renamed", lambda d: parameter(d, CLIENTS, "get", "q").update(name="search")),
    ("parameter required", "a parameter is required", lambda d: parameter(d, CLIENTS, "get", "sort").update(required=True)),
    ("parameter required", "a new header is required", lambda d: operation(CLIENTS, "post")(d)["parameters"].append(
        {"name": "X-Reason", "in": "header", "required": True, "schema": {"type": "string"}})),
    ("parameter style", "a list is written otherwise", lambda d: parameter(d, CLIENTS, "get", "sort").update(explode=True)),
    ("request limit", "a page may have fewer records", lambda d: parameter(d, CLIENTS, "get", "limit")["schema"].update(maximum=100)),
    ("request default", "another default", lambda d: parameter(d, CLIENTS, "get", "limit")["schema"].update(default=50)),
    ("request word removed", "a word of a filter is removed", lambda d: parameter(
        d, CLIENTS, "get", "archived")["schema"]["enum"].remove("only")),
    ("request word removed", "a sort is removed", lambda d: parameter(d, CLIENTS, "get", "sort")["schema"]["items"]["enum"].pop()),
    ("request type", "a parameter changes its type", lambda d: parameter(d, CLIENTS, "get", "q")["schema"].update(type="integer")),
    ("request field removed", "a request's field is removed", lambda d: members(d, "CreateClient").pop("website")),
    ("request field removed", "a request's field is renamed", lambda d: rename(members(d, "ClientPatch"), "website", "homepage")),
    ("request field required", "a request's field is required", lambda d: schema(d, "CreateClient")["required"].append("currency")),
    ("request field required", "a request's new field is required", lambda d: (
        members(d, "CreateNote").update(title={"type": "string"}), schema(d, "CreateNote")["required"].append("title"))),
    ("request field required", "a field of a part is required", lambda d: schema(d, "Address").setdefault(
        "required", []).append("country")),
    ("request word removed", "a word of a request is removed", lambda d: schema(d, "SessionKind")["enum"].pop()),
    ("request words", "a request's free text becomes a choice", lambda d: members(d, "CreateClient")["sector"].update(enum=["retail"])),
    ("request type", "a request's field changes its type", lambda d: members(d, "CreateNote")["is_private"].update(type="string")),
    ("request null", "a request's field no longer takes null", lambda d: members(d, "ClientPatch")["legal_name"].update(type="string")),
    ("request null", "a request's part no longer takes null", lambda d: members(d, "CreateClient").update(
        main_address=members(d, "CreateClient")["main_address"]["oneOf"][0])),
    ("request limit", "a request's text must be shorter", lambda d: members(d, "CreateNote")["body"].update(maxLength=1000)),
    ("request limit", "a request's text has a limit", lambda d: members(d, "WorkspacePatch")["timezone"].update(maxLength=20)),
    ("request limit", "a request's text must be longer", lambda d: members(d, "CreateTag")["name"].update(minLength=3)),
    ("request limit", "a request's list must be shorter", lambda d: members(d, "Bulk")["operations"].update(maxItems=100)),
    ("request pattern", "a request's text must match", lambda d: members(d, "CreateTag")["name"].update(pattern="^[a-z]+$")),
    ("request format", "a request's text has a format", lambda d: members(d, "CreateClient")["website"].update(format="uri")),
    ("request closed", "a request's part refuses what it does not know", lambda d: members(d, "BulkOperation")["data"].update(
        properties={}, additionalProperties=False)),
    ("request content type removed", "a body may no longer be a merge patch", lambda d: operation(
        CLIENT, "patch")(d)["requestBody"]["content"].pop("application/merge-patch+json")),
    ("body required", "a body is required", lambda d: operation(f"{CLIENT}/restore", "post")(d).update(
        requestBody={"required": True, "content": {"application/json": {"schema": {"type": "object"}}}})),
    ("body removed", "a body is removed", lambda d: operation(CLIENTS, "post")(d).pop("requestBody")),
    ("status removed", "a failure's status is removed", lambda d: operation(CLIENT, "patch")(d)["responses"].pop("412")),
    ("status removed", "a success has another status", lambda d: rename(operation(CLIENTS, "post")(d)["responses"], "201", "200")),
    ("response content type removed", "a success has another type", lambda d: rename(
        operation(CLIENT, "get")(d)["responses"]["200"]["content"], "application/json", "application/hal+json")),
    ("header removed", "an answer's header is removed", lambda d: operation(CLIENT, "get")(d)["responses"]["200"]["headers"].pop("ETag")),
    ("response field removed", "an answer's field is removed", lambda d: members(d, "Client").pop("website")),
    ("response field removed", "an answer's field is renamed", lambda d: rename(members(d, "Problem"), "detail", "message")),
    ("response field removed", "a field of an answer's part is removed", lambda d: members(d, "PageInfo").pop("has_more")),
    ("response field optional", "an answer's field may be absent", lambda d: schema(d, "Client")["required"].remove("status")),
    ("response null", "an answer's field may be null", lambda d: members(d, "Client")["name"].update(type=["string", "null"])),
    ("response type", "an answer's field changes its type", lambda d: members(d, "Problem")["status"].update(type="string")),
    ("response type", "an answer's list becomes one", lambda d: members(d, "Client").update(phones={"type": "object"})),
    ("response format", "an answer's time becomes any text", lambda d: members(d, "Client")["created_at"].pop("format")),
    ("response word removed", "a word of an answer is removed", lambda d: schema(d, "Action")["enum"].remove("archive")),
    ("response word removed", "a word of an answer is renamed", lambda d: schema(d, "ClientStatus").update(enum=["active", "dormant"])),
    ("response words", "an answer's word becomes any text", lambda d: schema(d, "ClientStatus").pop("enum")),
]

HARMLESS = [
    ("nothing", lambda d: None),
    ("a new path", lambda d: d["paths"].update({"/v1/leads": copy.deepcopy(d["paths"][CLIENTS])})),
    ("a new method", lambda d: d["paths"]["/v1/admin/queues"].update(post=copy.deepcopy(d["paths"]["/v1/tags"]["post"]))),
    ("a new optional parameter", lambda d: operation("/v1/admin/queues", "get")(d)["parameters"].append(
        {"name": "q", "in": "query", "required": False, "schema": {"type": "string"}})),
    ("a new optional field in a request", lambda d: members(d, "CreateClient").update(motto={"type": "string"})),
    ("a field of a request is no longer required", lambda d: schema(d, "CreateClient")["required"].remove("kind")),
    ("a longer text in a request", lambda d: members(d, "CreateNote")["body"].update(maxLength=40000)),
    ("no limit in a request", lambda d: members(d, "CreateNote")["body"].pop("maxLength")),
    ("a request takes null too", lambda d: members(d, "CreateNote")["body"].update(type=["string", "null"])),
    ("a request's format is gone", lambda d: members(d, "CreateInvitation")["email"].pop("format")),
    ("a new word in a request", lambda d: schema(d, "SessionKind")["enum"].append("kiosk")),
    ("a new field in an answer", lambda d: (
        members(d, "Client").update(motto={"type": "string"}), schema(d, "Client")["required"].append("motto"))),
    ("a new word in an answer", lambda d: schema(d, "Action")["enum"].append("sign")),
    ("an answer's field is always there", lambda d: schema(d, "Client")["required"].append("website")),
    ("an answer's field is never null", lambda d: members(d, "Client")["website"].update(type="string")),
    ("a new status", lambda d: operation("/v1/admin/queues", "get")(d)["responses"].update({"418": copy.deepcopy(
        operation("/v1/admin/queues", "get")(d)["responses"]["404"])})),
    ("a new header in an answer", lambda d: operation("/v1/admin/queues", "get")(d)["responses"]["200"].setdefault("headers", {}).update(
        {"X-Count": {"schema": {"type": "integer"}}})),
    ("other words about it", lambda d: operation(CLIENTS, "get")(d).update(summary="All of them", description="…")),
    ("another example", lambda d: operation(CLIENTS, "post")(d)["requestBody"]["content"]["application/json"].update(example={})),
    ("members in another order", lambda d: schema(d, "Client").update(properties=dict(reversed(members(d, "Client").items())))),
    ("a new minor version", lambda d: d["info"].update(version="0.999.0")),
]


def failures(document):
    """What the comparison says wrongly of the tables above."""
    wrong = []
    for what, mutate, rule in [(what, mutate, rule) for rule, what, mutate in BREAKING] + [(*harmless, None) for harmless in HARMLESS]:
        mutated = copy.deepcopy(document)
        try:
            mutate(mutated)
        except (KeyError, IndexError, ValueError, StopIteration) as missing:
            wrong.append(f"{what}: cannot be tried, as {missing!r} is not in the document any more; choose another in the table")
            continue
        found = breaking(document, mutated)
        if rule is None and found:
            wrong.append(f"{what} is harmless, but was said to break: {found}")
        elif rule is not None and rule not in {finding[0] for finding in found}:
            wrong.append(f"{what}: “{rule}” was not said, but {sorted({finding[0] for finding in found}) or 'nothing'}")
    major = copy.deepcopy(document)
    major["info"]["version"] = f"{int(major['info']['version'].split('.')[0]) + 1}.0.0"
    if not may_break(document, major) or may_break(document, document):
        wrong.append("only a new major version may break")
    return wrong
