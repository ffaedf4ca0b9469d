"""Where schemathesis is wrong about this API, and why."""

import copy
import json

import jsonschema_rs
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import JsonSchemaError, UseAfterFree


def is_excused(failure: Failure, case, response):
    return any(excuse(failure, case, response) for excuse in (is_archived, is_of_chosen_fields, is_empty_in_a_form))


def is_archived(failure, case, response):
    """DELETE archives what can be restored: its id still answers, and says since when it is archived."""
    if not isinstance(failure, UseAfterFree):
        return False
    operation = case.operation
    deleting = operation.schema.raw_schema["paths"].get(operation.path, {}).get("delete", {})
    body = response.json()
    return deleting.get("operationId", "").startswith("archive_") and isinstance(body, dict) and body.get("archived_at") is not None


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
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": answer, "components": components}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(json.loads(response.content))


def is_empty_in_a_form(failure, case, response):
    """A form cannot send null: a field that was left empty says nothing, as browsers send it, and is kept as null."""
    if type(failure).__name__ != "AcceptedNegativeData" or case.media_type != "multipart/form-data" or response.status_code != 201:
        return False
    empty = [name for name, value in case.body.items() if value == ""] if isinstance(case.body, dict) else []
    said = f"{failure.title} {failure.message}"
    kept = response.json()
    return "smaller than minLength" in said and any(f"body - {name}:" in said and kept.get(name) is None for name in empty)
