"""The page at /api/: every operation of the API with its parameters, body, answers and an example.

The server makes it from the OpenAPI schema, so it works offline and needs no scripts.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from iqs_site.api import api

Json = Mapping[str, Any]

# Ids of the database are below this. As a limit it tells a reader nothing.
_BEYOND_IDS = 2**63


@dataclass(frozen=True)
class FieldRow:
    """A parameter, or a field of a body or of an answer. `name` has dots and [] for nested fields."""

    name: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Answer:
    """An answer of an operation."""

    status: int
    phrase: str
    description: str
    fields: list[FieldRow]


@dataclass(frozen=True)
class Operation:
    """An operation of the API."""

    anchor: str
    method: str
    path: str
    group: str
    """What it is about: its tag in the schema."""
    summary: str
    parameters: list[FieldRow]
    media_type: str
    """Of the body; "" without one."""
    body: list[FieldRow]
    answers: list[Answer]
    problems: list[Answer]
    """Answers that are errors."""
    example: str
    """A command line."""

    @property
    def short_path(self) -> str:
        """Return the path without what nearly all have in common."""
        return self.path.removeprefix("/api").replace("/campaigns/{slug}", "…")


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show the description of the API."""
    return render(request, "iqs_site/api.html", {"operations": operations(api.get_openapi_schema())})


def operations(schema: Json) -> list[Operation]:
    """Return the operations of an OpenAPI schema, in its order."""
    reader = _Reader(schema)
    return [
        reader.operation(method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


class _Reader:
    def __init__(self, schema: Json) -> None:
        self._schema = schema
        schemes = schema.get("components", {}).get("securitySchemes", {}).values()
        self._has_tokens = any(scheme.get("scheme") == "bearer" for scheme in schemes)

    def operation(self, method: str, path: str, operation: Json) -> Operation:
        content = operation.get("requestBody", {}).get("content", {})
        media_type, body = next(((kind, one["schema"]) for kind, one in content.items()), ("", {}))
        answers = [self._answer(int(status), one) for status, one in operation["responses"].items()]
        parameters = [
            FieldRow(one["name"], self._kind(one["schema"]), bool(one.get("required")), f"in the {one['in']}")
            for one in operation.get("parameters", [])
        ]
        return Operation(
            anchor=operation["operationId"],
            method=method.upper(),
            path=path,
            group=next(iter(operation.get("tags", [])), ""),
            summary=operation.get("description") or operation.get("summary", ""),
            parameters=parameters,
            media_type=media_type,
            body=self._fields(body),
            answers=[answer for answer in answers if answer.status < 400],
            problems=[answer for answer in answers if answer.status >= 400],
            example=self._example(method.upper(), path, media_type, body),
        )

    def _answer(self, status: int, response: Json) -> Answer:
        content = response.get("content", {}).get("application/json", {})
        fields = self._fields(content.get("schema", {})) if status < 400 else []
        return Answer(status, HTTPStatus(status).phrase, response.get("description", ""), fields)

    def _fields(self, schema: Json, prefix: str = "") -> list[FieldRow]:
        """Return the fields of an object, and those of the objects in it."""
        schema = self._resolved(schema)
        rows = []
        for name, field in schema.get("properties", {}).items():
            is_required = name in schema.get("required", ())
            rows.append(FieldRow(prefix + name, self._kind(field), is_required, self._description(field)))
            for inner in self._alternatives(field):
                items = inner.get("items", {})
                rows += self._fields(inner, f"{prefix}{name}.")
                rows += self._fields(items, f"{prefix}{name}[].")
        return rows

    def _alternatives(self, schema: Json) -> list[Json]:
        schema = self._resolved(schema)
        return [self._resolved(one) for one in schema.get("anyOf", [schema])]

    def _resolved(self, schema: Json) -> Json:
        if "$ref" not in schema:
            return schema
        *_, name = schema["$ref"].split("/")
        found: Json = self._schema["components"]["schemas"][name]
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}

    def _kind(self, schema: Json) -> str:
        """Return the type and limits of a value in words."""
        return " or ".join(self._kind_of_one(one) for one in self._alternatives(schema))

    def _kind_of_one(self, schema: Json) -> str:
        named = str(schema.get("type", ""))
        kind = {"": "any value", "array": "list"}.get(named, named)
        if kind == "list":
            kind = f"list of {self._kind(schema.get('items', {}))}"
        if (form := schema.get("format")) and form != "binary":
            kind = f"{kind} ({form})"
        limits = [
            words.format(schema[key])
            for key, words in (
                ("minimum", "at least {}"),
                ("maximum", "at most {}"),
                ("exclusiveMaximum", "less than {}"),
                ("maxLength", "at most {} characters"),
                ("maxItems", "at most {} entries"),
            )
            if schema.get(key) not in (None, _BEYOND_IDS)
        ]
        return ", ".join([str(kind), *limits])

    def _description(self, schema: Json) -> str:
        texts = [str(schema.get("description", ""))]
        if schema.get("default") not in (None, "", [], {}):
            texts.append(f"Default: {json.dumps(schema['default'])}.")
        return " ".join(text for text in texts if text)

    def _example(self, method: str, path: str, media_type: str, body: Json) -> str:
        words = ["curl"] + ([] if method == "GET" else ["-X", method])
        if self._has_tokens:
            words += ["-H", "authorization: Bearer YOUR-TOKEN"]
        else:
            words += ["-b", "cookies.txt"] + ([] if method == "GET" else ["-H", "x-csrftoken: YOUR-CSRF-TOKEN"])
        if media_type.startswith("multipart/"):
            words += [part for name in self._resolved(body)["properties"] for part in ("-F", f"{name}=@photo.jpg")]
        elif media_type:
            words += ["-H", f"content-type: {media_type}", "-d", json.dumps(self._sample(body))]
        return shlex.join([*words, "http://127.0.0.1:8000" + path])

    def _sample(self, schema: Json) -> Any:
        """Return a value that fits a schema, with the required fields only."""
        schema = self._alternatives(schema)[0]
        if "default" in schema:
            return schema["default"]
        match schema.get("type"):
            case "object":
                properties = schema.get("properties", {})
                return {name: self._sample(properties[name]) for name in schema.get("required", ())}
            case "array":
                return [self._sample(schema["items"])]
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        return "0b9c1d3e-8c1b-4c67-9f5e-2f4d4b1a7c55" if schema.get("format") == "uuid" else "text"
