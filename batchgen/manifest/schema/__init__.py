"""The manifest language as types; foreign text becomes data here, strictly, and every key has its sentence."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from batchgen.manifest.schema.catalogue import MatrixTable, RowsTable, SkipTable
from batchgen.manifest.schema.kinds import TAG, BatchName, CatalogueName, Strict, Takes
from batchgen.manifest.schema.requests import (
    Defaults,
    JobEntry,
    OverrideEntry,
    PromptFile,
    PromptText,
    ReferenceEntry,
    ReferenceList,
    ReferenceTable,
    RequestFields,
)
from batchgen.manifest.schema.running import (
    BudgetTable,
    ExpertTable,
    FailuresTable,
    LimitsTable,
    ModelLimits,
    OutputTable,
    ProfileTable,
    ProviderChoice,
    ResendTable,
    Server,
    StopTable,
)

__all__ = [
    "LANGUAGE",
    "TAG",
    "BudgetTable",
    "Defaults",
    "ExpertTable",
    "FailuresTable",
    "JobEntry",
    "LimitsTable",
    "ManifestFile",
    "MatrixTable",
    "ModelLimits",
    "OutputTable",
    "OverrideEntry",
    "ProfileTable",
    "PromptFile",
    "ReferenceEntry",
    "ReferenceTable",
    "RequestFields",
    "ResendTable",
    "RowsTable",
    "Server",
    "SkipTable",
    "StopTable",
    "Strict",
]

LANGUAGE: Final = 1


def _version(value: object) -> object:
    if type(value) is int and value == LANGUAGE:
        return value
    raise ValueError(f"this batchgen reads version {LANGUAGE} of the manifest language; write batchgen: {LANGUAGE}")


def _something_to_do(schema: dict[str, Any]) -> None:
    """Notes are allowed, and a manifest asks for at least one picture."""
    schema["patternProperties"] = {"^x-": {"description": "Ignored; a place for YAML anchors."}}
    full = {
        "jobs": {"minItems": 1},
        "prompts": {"minProperties": 1},
        "models": {"minProperties": 1},
        "rows": {},
        "matrix": {},
    }
    schema["anyOf"] = [{"required": [name], "properties": {name: form}} for name, form in full.items()]


_JOURNAL: Final = "^(postgres(ql)?://(?![^/]*:[^/]*@)(?!.*[?&]password=)|(?!.*://))"
"""A path, or a database of PostgreSQL with no password in its URL."""


class ManifestFile(Strict):
    """A batchgen manifest: what pictures are owed."""

    model_config = ConfigDict(title="batchgen manifest", json_schema_extra=_something_to_do)

    batchgen: Annotated[Literal[1], BeforeValidator(_version)] = Field(description="Version of this language.")
    name: BatchName = Field(description="Name of the batch and its folder.", examples=["autumn-catalogue"])
    provider: ProviderChoice = Field(default_factory=Server, description="local, or a server.")
    journal: Annotated[str, Field(min_length=1, json_schema_extra={"pattern": _JOURNAL})] | None = Field(
        None, description="Path of the journal, when not in the batch folder, or postgresql://host/database."
    )
    defaults: Defaults = Field(default_factory=Defaults, description="Request fields for every job.")
    jobs: list[JobEntry] = Field(default_factory=list, description="Explicit jobs.")
    prompts: dict[CatalogueName, PromptText] = Field(
        default_factory=dict,
        description="Prompts by name: templates of columns and axes.",
        examples=[{"scene": "{{ title }} on a wooden table", "packshot": {"file": "prompts/packshot.txt"}}],
    )
    models: dict[CatalogueName, RequestFields] = Field(
        default_factory=dict,
        description="Bundles of request fields by name.",
        examples=[{"hero": {"model": "nano-banana-pro", "resolution": "4K"}}],
    )
    rows: RowsTable | None = Field(None, description="A table; each row, or group of rows, is one of the catalogue.")
    matrix: MatrixTable | None = Field(
        None,
        description="What is multiplied; left out, `prompts` with `models`.",
        examples=[{"prompt": ["packshot"], "model": ["hero"], "view": ["front", "back"]}],
    )
    overrides: list[OverrideEntry] = Field(default_factory=list, description="Request fields for some of the jobs.")
    references: ReferenceList = Field(
        default_factory=list,
        description="Reference pictures for every job without its own, in order.",
        examples=[["refs/shoe.png", {"column": "Image Src", "at_most": 4}]],
    )
    takes: Takes = Field(1, description="Pictures for each job.")
    output: OutputTable = Field(default_factory=OutputTable, description="Where pictures go.")
    limits: LimitsTable = Field(default_factory=LimitsTable, description="How much at once and how long.")
    failures: FailuresTable = Field(default_factory=FailuresTable, description="What is done about failures.")
    budget: BudgetTable = Field(default_factory=BudgetTable, description="What the batch may cost.")
