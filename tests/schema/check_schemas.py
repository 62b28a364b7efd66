"""Validates the example manifests, document by document, against the schemas that their first lines name, and makes
sure that each document of the bad ones is refused. YAML is read as version 1.2, as the program reads it.

With the path of the program as an argument, `validate` must think of all of them what the schemas think."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
from ruamel.yaml import YAML

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "manifests-example"
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def validator(path):
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    resolver = jsonschema.RefResolver(path.as_uri(), schema)
    return jsonschema.Draft7Validator(schema, resolver=resolver)


SCHEMAS = {name: validator(EXAMPLES / name) for name in ("manifest.schema.json", "collection.schema.json")}


def documents(path):
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        return [json.loads(text)]
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    return list(yaml.load_all(text))


def schema_named_by(path):
    """The schema that an editor finds through the file's first line; JSON has no comments to name one."""
    if path.suffix == ".json":
        return SCHEMAS["manifest.schema.json"]
    first = MODELINE.match(path.read_text("utf-8"))
    if not first:
        sys.exit(f"{path}: the first line names no schema")
    target = (path.parent / first.group(1)).resolve()
    expected = "collection.schema.json" if path.name == "collection.yaml" else "manifest.schema.json"
    if target != EXAMPLES / expected:
        sys.exit(f"{path}: the first line names {target}, not {expected}")
    return SCHEMAS[expected]


def check_examples():
    failures, tokens = 0, 0
    folder = EXAMPLES / "collections"
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".yaml", ".yml", ".json")):
        schema = schema_named_by(path)
        if "drafts" in path.parts:
            continue
        for number, document in enumerate(documents(path), 1):
            tokens += len(document.get("tokens", [])) + ("token" in document)
            for error in schema.iter_errors(document):
                print(f"{path}, document {number}: {error.json_path}: {error.message}")
                failures += 1
    print(f"examples: {tokens} tokens")
    return failures + (tokens < 25)


def check_bad():
    """Each document of a bad file is refused; what is wrong with it stands in a comment above it."""
    failures, refused = 0, 0
    for path in sorted((HERE / "bad").iterdir()):
        schema = SCHEMAS["collection.schema.json" if path.name.startswith("collection") else "manifest.schema.json"]
        for number, document in enumerate(documents(path), 1):
            if schema.is_valid(document):
                print(f"{path}, document {number}: is accepted")
                failures += 1
            refused += 1
    print(f"bad: {refused} documents refused")
    return failures + (refused < 20)


def check_program(program):
    def validate(folder):
        return subprocess.run([program, "validate", str(folder)], capture_output=True, text=True, check=False)

    failures = 0
    run = validate(EXAMPLES / "collections")
    if run.returncode != 0:
        print(f"validate ends with {run.returncode} for the examples:\n{run.stdout}{run.stderr}")
        failures += 1
    good = {
        "collection.yaml": "projectId: 1\ncollectionId: 1\n",
        "manifest.yaml": "token: {tokenId: 1, name: A}\n",
    }
    cases = [("a good folder", {}, 0)]
    for path in sorted((HERE / "bad").iterdir()):
        name = "collection.yaml" if path.name.startswith("collection") else "manifest.yaml"
        for text in path.read_text("utf-8").split("---\n"):
            cases.append((text, {name: text}, 65))
    for title, changed, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**good, **changed}.items():
                pathlib.Path(folder, name).write_text(text, "utf-8")
            run = validate(folder)
            if run.returncode != expected:
                print(f"validate ends with {run.returncode}, not {expected}, for: {title}\n{run.stdout}{run.stderr}")
                failures += 1
    print(f"program: {len(cases)} folders validated")
    return failures


sys.exit(1 if check_examples() + check_bad() + sum(map(check_program, sys.argv[1:])) else 0)
