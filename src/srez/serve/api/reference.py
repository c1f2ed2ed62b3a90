"""The reference of the HTTP API, made from its OpenAPI document: Markdown for the site, HTML for `/docs`."""

from collections.abc import Iterator
from typing import Any

from markdown_it import MarkdownIt

from srez.serve.api.responses import ANY_ROUTE

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8888; padding: .3rem .6rem; text-align: left; vertical-align: top; }
pre { background: #8882; padding: .8rem; overflow-x: auto; }
"""


def markdown(document: dict[str, Any]) -> str:
    """A page about all routes: what each takes and answers, with a call of it.

    Args:
        document: of `openapi.document`.
    """
    return "\n".join(_lines(document)) + "\n"


def html(document: dict[str, Any]) -> str:
    """The same page for a browser, which needs nothing from elsewhere."""
    body = MarkdownIt("commonmark").enable("table").render(markdown(document))
    body = body.replace("<pre>", '<pre tabindex="0">').replace("<table>", '<table tabindex="0">')
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The HTTP API of srez</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><main>{body}<p><a href="openapi.json">The OpenAPI document</a></p></main></body></html>'
    )


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield "# The HTTP API"
    yield ""
    yield document["info"]["description"]
    statuses = {str(status) for status in ANY_ROUTE}
    first = next(iter(document["paths"]["/healthz"].values()))["responses"]
    anywhere = {status: answer for status, answer in first.items() if status in statuses}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"\n## {method.upper()} {path}\n"
            yield operation["description"]
            yield from _call(method, path, operation)
            yield from _options(operation)
            own = {key: value for key, value in operation["responses"].items() if key not in anywhere}
            yield from _answers(own)
    yield "\n## Answers of every route"
    yield from _answers(anywhere)
    yield from _schemas(document["components"]["schemas"])


def _call(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    words = ["curl"]
    if method == "delete":
        words.append("-X DELETE")
    if "requestBody" in operation:
        words.append("-F file=@photo.jpg")
    words.append("http://127.0.0.1:8000" + path.replace("{name}", "ID"))
    if "image/png" in operation["responses"].get("200", {}).get("content", {}):
        words.append("-o large.png")
    yield f"\n```sh\n{' '.join(words)}\n```"


def _options(operation: dict[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    if parameters:
        yield "\n| option | values | what |\n|---|---|---|"
    for parameter in parameters:
        schema = parameter["schema"]
        what = parameter.get("description") or schema.get("description", "")
        yield f"| `{parameter['name']}` | {_values(schema)} | {what} |"


def _answers(answers: dict[str, Any]) -> Iterator[str]:
    yield "\n| answer | what | headers |\n|---|---|---|"
    for status, answer in sorted(answers.items()):
        headers = ", ".join(f"`{name}`" for name in answer.get("headers", {}))
        what = answer["description"].replace("Successful Response", "Done.")
        yield f"| {status} | {what} | {headers} |"


def _schemas(schemas: dict[str, Any]) -> Iterator[str]:
    for name, schema in schemas.items():
        if schema.get("properties"):
            yield f"\n## {name}\n"
            yield schema.get("description", "").partition("\n\nAttributes:")[0]
            yield "\n| field | values | what |\n|---|---|---|"
            for field, values in schema["properties"].items():
                yield f"| `{field}` | {_values(values)} | {values.get('description', '')} |"


def _values(schema: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "anyOf" in schema:
        return ", or ".join(_values(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_values(schema.get('items', {}))}"
    least, most = schema.get("minimum"), schema.get("maximum")
    limits = f", {least} to {most}" if most is not None else f", from {least}" if least is not None else ""
    return f"{schema.get('type', 'anything')}{limits}"
