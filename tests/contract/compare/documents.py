"""Documents: paths, operations, parameters, bodies and statuses."""

from .schemas import REQUEST, RESPONSE, Comparison, resolved

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def breaking(old, new):
    """What breaks, as (rule, where, what), in the order of the document."""
    found = []

    def report(*finding):
        if finding not in found:
            found.append(finding)

    comparison = Comparison(old, new, report)
    for path, before in old["paths"].items():
        after = new["paths"].get(path)
        if after is None:
            report("path removed", path, "the path is gone")
            continue
        for method in METHODS:
            if method in before and method not in after:
                report("operation removed", f"{method.upper()} {path}", "the operation is gone")
            elif method in before:
                shared = (before.get("parameters", []), after.get("parameters", []))
                _operation(comparison, before[method], after[method], f"{method.upper()} {path}", shared)
    for name in old.get("components", {}).get("schemas", {}):
        if name not in new.get("components", {}).get("schemas", {}):
            report("schema removed", name, "the schema is gone, after which clients name their types")
    return found


def may_break(old, new):
    """A new major version may break what it likes."""
    major = [document["info"]["version"].split(".")[0] for document in (old, new)]
    return major[0] != major[1]


def _operation(comparison, old, new, where, shared):
    report = comparison.report
    if old.get("operationId") != new.get("operationId"):
        report("operation id", where, f"the operationId was {old.get('operationId')} and is {new.get('operationId')}")
    if _is_open(old, comparison.old) and not _is_open(new, comparison.new):
        report("sign-in required", where, "it was open to everybody")
    _parameters(comparison, [*shared[0], *old.get("parameters", [])], [*shared[1], *new.get("parameters", [])], where)
    _request_body(comparison, old.get("requestBody"), new.get("requestBody"), where)
    for status, before in old.get("responses", {}).items():
        after = new.get("responses", {}).get(status)
        if after is None:
            report("status removed", where, f"{status} is gone")
        else:
            _response(comparison, before, after, f"{where} {status}")


def _is_open(operation, document):
    security = operation.get("security", document.get("security", []))
    return not security or {} in security


def _parameters(comparison, old, new, where):
    by_name = [
        {(p["in"], p["name"]): p for p in (resolved(document, parameter) for parameter in parameters)}
        for document, parameters in ((comparison.old, old), (comparison.new, new))
    ]
    for key, before in by_name[0].items():
        place = f"{where}, {key[0]} {key[1]}"
        after = by_name[1].get(key)
        if after is None:
            comparison.report("parameter removed", place, "it is gone")
            continue
        if [before.get(word) for word in ("style", "explode")] != [after.get(word) for word in ("style", "explode")]:
            comparison.report("parameter style", place, "it is written otherwise")
        comparison.compare(before.get("schema", {}), after.get("schema", {}), REQUEST, place)
    for key, after in by_name[1].items():
        if after.get("required") and not by_name[0].get(key, {}).get("required"):
            comparison.report("parameter required", f"{where}, {key[0]} {key[1]}", "it is required now")


def _request_body(comparison, old, new, where):
    old, new = resolved(comparison.old, old), resolved(comparison.new, new)
    where = f"{where}, body"
    if new.get("required") and not old.get("required"):
        comparison.report("body required", where, "a body is required now")
    if old and not new:
        comparison.report("body removed", where, "there is no body any more")
        return
    _content(comparison, old, new, REQUEST, where)


def _response(comparison, old, new, where):
    old, new = resolved(comparison.old, old), resolved(comparison.new, new)
    _content(comparison, old, new, RESPONSE, where)
    for name, before in old.get("headers", {}).items():
        after = new.get("headers", {}).get(name)
        if after is None:
            comparison.report("header removed", where, f"{name} is gone")
        else:
            before, after = resolved(comparison.old, before), resolved(comparison.new, after)
            comparison.compare(before.get("schema", {}), after.get("schema", {}), RESPONSE, f"{where}, {name}")


def _content(comparison, old, new, direction, where):
    for kind, before in old.get("content", {}).items():
        after = new.get("content", {}).get(kind)
        if after is None:
            comparison.report(f"{direction} content type removed", where, f"{kind} is gone")
        else:
            comparison.compare(before.get("schema", {}), after.get("schema", {}), direction, where)
