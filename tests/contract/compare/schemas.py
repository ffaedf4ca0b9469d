"""Schemas: what of a request is no longer accepted, and what of an answer is no longer kept.

A request may only be accepted more widely: what was sent yesterday is sent tomorrow too. An answer may only grow: what was read
yesterday is there tomorrow, of the same type. New words of an answer's enumeration are growth (openapi/README.md).
"""

REQUEST, RESPONSE = "request", "response"
# a limit, and whether a larger one is wider
LIMITS = {
    "maxLength": True, "maximum": True, "exclusiveMaximum": True, "maxItems": True, "maxProperties": True,
    "minLength": False, "minimum": False, "exclusiveMinimum": False, "minItems": False, "minProperties": False,
}
# The lowest limit of this kind limits nothing.
NOTHING = {"minLength": 0, "minItems": 0, "minProperties": 0}
WIDER_FORMATS = {("int32", "int64"), ("float", "double")}


def resolved(document, schema):
    """The schema that a reference names, with what stands beside the reference."""
    names = []
    while isinstance(schema, dict) and "$ref" in schema:
        name = schema["$ref"]
        if name in names:
            raise ValueError(f"{name} refers to itself")
        names.append(name)
        target = document
        for part in name.removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema if isinstance(schema, dict) else {}


def flat(document, schema):
    """One object of it: `allOf` is merged, and every way to say "or null" becomes one."""
    schema = dict(resolved(document, schema))
    for part in schema.pop("allOf", []):
        part = flat(document, part)
        properties = {**part.get("properties", {}), **schema.get("properties", {})}
        required = [*schema.get("required", []), *part.get("required", [])]
        types = schema.get("types", part.get("types"))
        schema = {**part, **schema, "properties": properties, "required": required, "types": types}
    for word in ("oneOf", "anyOf"):
        variants = schema.get(word)
        if variants:
            kept = [variant for variant in variants if resolved(document, variant).get("type") != "null"]
            if len(kept) == 1 and len(kept) < len(variants):
                rest = {key: value for key, value in schema.items() if key != word}
                only = flat(document, kept[0])
                return {**only, **rest, "types": None if only["types"] is None else only["types"] | {"null"}}
    types = schema.get("types")
    if "type" in schema:
        types = schema.pop("type")
        types = {types} if isinstance(types, str) else set(types)
    schema["types"] = types
    return schema


class Comparison:
    """Goes through two schemas side by side and reports (rule, where, what)."""

    def __init__(self, old, new, report):
        self.old, self.new, self.report = old, new, report
        self.seen = set()

    def compare(self, old, new, direction, where):
        pair = (_name(old), _name(new), direction)
        if pair[0] and pair[1]:
            # recursive types, and types that stand in many places: once is enough
            if pair in self.seen:
                return
            self.seen.add(pair)
            where = f"{where}, {pair[0]}"
        old, new = flat(self.old, old), flat(self.new, new)
        self._types(old["types"], new["types"], direction, where)
        self._words(old, new, direction, where)
        self._formats(old, new, direction, where)
        if direction == REQUEST:
            self._limits(old, new, where)
        self._members(old, new, direction, where)
        self._variants(old, new, direction, where)
        if "items" in old or "items" in new:
            self.compare(old.get("items", {}), new.get("items", {}), direction, f"{where}[]")

    def _types(self, old, new, direction, where):
        accepted, given = (new, old) if direction == REQUEST else (old, new)
        # None is everything
        if accepted is None:
            return
        if given is None:
            missing = {"anything"}
        else:
            missing = {word for word in given - accepted if word != "integer" or "number" not in accepted}
        if missing == {"null"}:
            self.report(f"{direction} null", where, "null is no longer accepted" if direction == REQUEST else "it can be null now")
        elif missing:
            self.report(f"{direction} type", where, f"the type was {_said(old)} and is {_said(new)}")

    def _words(self, old, new, direction, where):
        before, after = old.get("enum"), new.get("enum")
        if before is not None and after is not None:
            gone = [word for word in before if word not in after and word is not None]
            if gone:
                self.report(f"{direction} word removed", where, f"no longer: {', '.join(map(str, gone))}")
        elif direction == REQUEST and after is not None:
            self.report("request words", where, "only some words are accepted now")
        elif direction == RESPONSE and before is not None:
            self.report("response words", where, "it can be any word now")

    def _formats(self, old, new, direction, where):
        before, after = old.get("format"), new.get("format")
        narrow, wide = (before, after) if direction == REQUEST else (after, before)
        if wide is not None and narrow != wide and (narrow, wide) not in WIDER_FORMATS:
            self.report(f"{direction} format", where, f"the format was {before} and is {after}")
        if direction == REQUEST and new.get("pattern") is not None and new["pattern"] != old.get("pattern"):
            self.report("request pattern", where, f"it must match {new['pattern']} now")

    def _limits(self, old, new, where):
        for limit, larger_is_wider in LIMITS.items():
            before, after = old.get(limit), new.get(limit)
            if after is None or after == NOTHING.get(limit) or before == after:
                continue
            if before is None or (after < before) == larger_is_wider:
                self.report("request limit", where, f"{limit} was {before} and is {after}")
        for word in ("multipleOf", "uniqueItems", "const"):
            if new.get(word) not in (None, False, old.get(word)):
                self.report("request limit", where, f"{word} is {new[word]} now")
        if None not in (old.get("default"), new.get("default")) and old["default"] != new["default"]:
            self.report("request default", where, f"left out, it was {old['default']} and is {new['default']}")

    def _members(self, old, new, direction, where):
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name not in after:
                self.report(f"{direction} field removed", where, f"{name} is gone")
            else:
                self.compare(before[name], after[name], direction, f"{where}/{name}")
        was, now = set(old.get("required", [])), set(new.get("required", []))
        if direction == REQUEST:
            for name in sorted(now - was):
                self.report("request field required", where, f"{name} is required now")
            if new.get("additionalProperties") is False and old.get("additionalProperties") is not False and "properties" in new:
                self.report("request closed", where, "unknown fields are refused now")
        else:
            for name in sorted((was - now) & set(after)):
                self.report("response field optional", where, f"{name} may be absent now")
        if isinstance(old.get("additionalProperties"), dict) and isinstance(new.get("additionalProperties"), dict):
            self.compare(old["additionalProperties"], new["additionalProperties"], direction, f"{where}/*")

    def _variants(self, old, new, direction, where):
        for word in ("oneOf", "anyOf"):
            before, after = old.get(word), new.get(word)
            if before is None and after is None:
                continue
            if before is None or after is None:
                self.report(f"{direction} type", where, f"{word} {'is new' if before is None else 'is gone'}")
                continue
            for number, variant in enumerate(before):
                if not any(self._fits(variant, other, direction) for other in after):
                    self.report(f"{direction} type", where, f"variant {_name(variant) or number} of {word} is gone or narrower")

    def _fits(self, old, new, direction):
        found = []
        Comparison(self.old, self.new, lambda *finding: found.append(finding)).compare(old, new, direction, "")
        return not found


def _name(schema):
    return schema["$ref"].rsplit("/", 1)[1] if isinstance(schema, dict) and "$ref" in schema else None


def _said(types):
    return "anything" if types is None else " or ".join(sorted(types))
