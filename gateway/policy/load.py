"""Source files to policies: decoded, parsed, typed, every complaint collected before the first is raised."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.policy.directory import SourceFile
from gateway.policy.document import read_document
from gateway.policy.fields import Reader
from gateway.policy.json_source import parse_json
from gateway.policy.model import Document
from gateway.policy.problems import Complaints, Place, PolicyProblem, Problem
from gateway.policy.source import parse_steps
from gateway.policy.steps import Steps, finish
from gateway.policy.tree import Mapping


def load_documents(files: Sequence[SourceFile], complaints: Complaints) -> list[Document]:
    """The policies of all files; schemas are left out."""
    return finish(load_steps(files, complaints))


def load_steps(files: Sequence[SourceFile], complaints: Complaints) -> Steps[list[Document]]:
    """As `load_documents`, in small steps."""
    found: list[Document] = []
    for file in files:
        if file.schema:
            continue
        yield
        try:
            text = file.data.decode("utf-8-sig")
            is_json = file.name.lower().endswith(".json")
            nodes = parse_json(text, file.name) if is_json else (yield from parse_steps(text, file.name))
        except UnicodeDecodeError:
            complaints.add(
                Problem.NOT_UTF8, Place(file.name, 1, 1), "The file is not UTF-8 text.", "Save it as UTF-8."
            )
            continue
        except PolicyProblem as problem:
            complaints.keep(problem)
            continue
        for node in nodes:
            if not isinstance(node, Mapping):
                complaints.add(
                    Problem.WRONG_TYPE,
                    Place(file.name, node.line, node.column),
                    f"A policy is a mapping, not {node.what}.",
                    "Write `apiVersion: api.cerbos.dev/v1` and one policy below it.",
                )
                continue
            yield
            document = read_document(Reader(node, file.name, complaints, "A policy"))
            if document is not None:
                found.append(document)
    return found
