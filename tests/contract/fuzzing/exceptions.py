"""Where schemathesis is wrong about this API, and why."""

import copy
import json

import jsonschema_rs
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData, UseAfterFree

FORM = "multipart/form-data"


def is_excused(failure: Failure, case, response):
    return any(excuse(failure, case, response) for excuse in (is_archived, is_laid_anew, is_of_chosen_fields, is_empty_in_a_form, is_linked_to_nothing))


def is_archived(failure, case, response):
    """DELETE archives what can be restored: its id still answers, and says since when it is archived; what hangs on it is listed still."""
    if not isinstance(failure, UseAfterFree):
        return False
    body = response.json()
    if not isinstance(body, dict):
        return False
    if archives(case, case.operation.path):
        return body.get("archived_at") is not None
    return archives(case, case.operation.path.rsplit("/", 1)[0]) and isinstance(body.get("data"), list)


def is_laid_anew(failure, case, response):
    """What lies over a role is taken away by DELETE, and made anew by the next PATCH."""
    is_override = case.operation.path.endswith("/override")
    return isinstance(failure, UseAfterFree) and is_override and response.status_code == 200


def archives(case, path):
    """Whether DELETE of a path archives."""
    deleting = case.operation.schema.raw_schema["paths"].get(path, {}).get("delete", {})
    return deleting.get("operationId", "").startswith("archive_")


def is_of_chosen_fields(failure, case, response):
    """With `fields=`, a record has the chosen members alone, which a schema cannot say as it does not know the request. What is there
    is held against the schema all the same, and what was chosen must be there."""
    chosen = (case.query or {}).get("fields")
    if not isinstance(failure, JsonSchemaError) or not chosen or response.status_code != 200:
        return False
    chosen = ",".join(chosen).split(",") if isinstance(chosen, list) else str(chosen).split(",")
    components = copy.deepcopy(case.operation.schema.raw_schema["components"])
    answer = case.operation.definition.raw["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    record = components["schemas"][answer.rsplit("/", 1)[1]]
    listed = record["properties"].get("data", {}).get("items", {}).get("$ref")
    if listed:
        record = components["schemas"][listed.rsplit("/", 1)[1]]
    record["required"] = [name for name in record.get("required", []) if name in chosen]
    return is_valid(json.loads(response.content), answer, components)


def is_empty_in_a_form(failure, case, response):
    """A form sends what nobody filled in as empty, and that says nothing; and it sends text alone, so that a number in the place of a text
    is one. What is filled in is held against the schema all the same, also where nothing is wrong by schemathesis' own description, and it
    counts the request as a wrong one nevertheless."""
    if not isinstance(failure, AcceptedNegativeData) or case.media_type != FORM or not isinstance(case.body, dict):
        return False
    made = case.meta.phase.data
    if made.parameter_location != ParameterLocation.BODY and made.description != "Positive test case":
        return False
    document = case.operation.schema.raw_schema
    sent = case.operation.definition.raw["requestBody"]["content"][FORM]["schema"]["$ref"]
    members = document["components"]["schemas"][sent.rsplit("/", 1)[1]]["properties"]
    # what it sends as a file it holds as an empty text with the content beside it
    sent_values = {name: getattr(value, "data", value) for name, value in case.body.items()}
    filled = {name: as_sent(value, members.get(name, {})) for name, value in sent_values.items() if value != ""}
    return is_valid(filled, sent, document["components"])


def is_linked_to_nothing(failure, case, response):
    """From a member that is null in one answer schemathesis makes an id in the next path, and calls that request a right one. What stands
    in the path is held against what the document says of it all the same."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return False
    described = {one["name"]: one["schema"] for one in case.operation.definition.raw.get("parameters", []) if one.get("in") == "path"}
    validators = {name: jsonschema_rs.Draft202012Validator(schema, validate_formats=True) for name, schema in described.items()}
    sent = (case.path_parameters or {}).items()
    return any(name in validators and not validators[name].is_valid(value) for name, value in sent)


def as_sent(value, member):
    """A value as a form sends it, and as it is read there: as a text where a text is wanted."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    is_text = "string" in json.dumps(member.get("type", ""))
    return json.dumps(value) if is_text and isinstance(value, (bool, int, float)) else value


def is_valid(value, reference, components):
    """Whether a value is what a schema of the document says, in these components."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": reference, "components": components}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(value)
