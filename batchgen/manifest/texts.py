"""Templates and conditions of a manifest, compiled once each; what is wrong with one is told at its character."""

from collections.abc import Callable
from typing import Final, TypeVar

from batchgen.manifest.expression import Expression, compile_expression
from batchgen.manifest.findings import ProblemSink
from batchgen.manifest.load import Document
from batchgen.manifest.misread import Misread
from batchgen.manifest.places import Origin, Path, at, place
from batchgen.manifest.prompts import Prompts
from batchgen.manifest.schema import PromptFile
from batchgen.manifest.template import Template, compile_template
from batchgen.manifest.vocabulary import Names

_LISTS: Final = ("known here", "there are no names")
_NO_TABLE: Final = "columns come from `rows`, which this manifest has not; "
_Made = TypeVar("_Made")


class Texts:
    """The texts of one manifest over the names of its columns and axes. What is wrong gives None, and is told once."""

    def __init__(self, document: Document, names: Names, prompts: Prompts, problems: ProblemSink) -> None:
        self.document = document
        self.names = names
        self._prompts = prompts
        self._problems = problems
        self._templates: dict[Path, str | Template | None] = {}
        self._told: set[str] = set()
        self.broken = False
        """Whether a text could not be read."""

    def field(self, path: Path, value: str | int) -> str | int | Template | None:
        """A request field as it is, or as a template."""
        return self.template(path, value) if isinstance(value, str) else value

    def template(self, path: Path, text: str, names: Names | None = None) -> str | Template | None:
        """The text that stands at a path, or the template that it is."""
        if path not in self._templates:
            self._templates[path] = self._compiled(path, text, names or self.names)
        return self._templates[path]

    def prompt(self, path: Path, prompt: str | PromptFile) -> str | Template | None:
        """A prompt of the catalogue, from the manifest or from its file."""
        if path not in self._templates:
            text = self.words(path, prompt)
            self._templates[path] = None if text is None else self._prompt(path, prompt, text)
        return self._templates[path]

    def words(self, path: Path, prompt: str | PromptFile) -> str | None:
        """A prompt as it stands in the manifest or in its file."""
        try:
            return self._prompts.text(prompt)
        except ValueError as error:
            self._tell(path if isinstance(prompt, str) else (*path, "file"), str(error))
            return None

    def condition(self, path: Path, text: str, names: Names | None = None) -> Expression | None:
        """The condition that stands at a path."""
        return self._read(path, lambda: compile_expression(text, names or self.names))

    def header(self, path: Path, column: str) -> str | None:
        """The header of a column that is named at a path, by itself or by its slug."""

        def known() -> str:
            self.names.check_column(column, 0)
            return next((header for header, slug in self.names.slugs.items() if slug == column), column)

        return self._read(path, known)

    def say(self, origin: Origin, field: str, message: str) -> None:
        """Tell of a field of a job."""
        self._problems.problem(place(self.document, origin, field).problem(message))

    def _prompt(self, path: Path, prompt: str | PromptFile, text: str) -> str | Template | None:
        if isinstance(prompt, str):
            return self._compiled(path, text, self.names)
        try:
            return _plain(compile_template(text, self.names))
        except Misread as error:
            line = text.count("\n", 0, error.offset) + 1
            self._tell((*path, "file"), f"`{prompt.file}`, line {line}: {error}", error.hint)
            return None

    def _compiled(self, path: Path, text: str, names: Names) -> str | Template | None:
        made = self._read(path, lambda: compile_template(text, names))
        return None if made is None else _plain(made)

    def _read(self, path: Path, make: Callable[[], _Made]) -> _Made | None:
        try:
            return make()
        except Misread as error:
            self.broken = True
            if str(error) not in self._told:
                self._told.add(str(error))
                lost = " is no name here" in str(error) and error.hint.startswith(_LISTS) and not self.names.columns
                hint = _NO_TABLE + error.hint if lost else error.hint
                problem = at(self.document, path).inside(error.offset).problem(str(error), hint=hint)
                self._problems.problem(problem)
            return None

    def _tell(self, path: Path, message: str, hint: str = "") -> None:
        self.broken = True
        self._problems.problem(at(self.document, path).problem(message, hint=hint))


def _plain(template: Template) -> str | Template:
    return template.text if template.literal else template
