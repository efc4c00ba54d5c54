"""What each combination of the catalogue asks for whatever the row, found out once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from batchgen.job import FIELDS, Fingerprints, Request
from batchgen.manifest.places import Origin, Path
from batchgen.manifest.schema import ManifestFile, PromptFile, RequestFields
from batchgen.manifest.template import Template
from batchgen.manifest.texts import Texts

Text: TypeAlias = str | Template

_KEPT: Final = 4096
_LACKS: Final = "this job has no `{0}`, and `defaults` has none either"


@dataclass(frozen=True, slots=True, eq=False)
class Mould:
    """One combination with the overrides that hold for it.

    `fixed` are request fields that are known, `rendered` those that come from the row, with their places;
    `fingerprints` is None when there are such.
    """

    axes: Mapping[str, str]
    origin: Origin
    prompt: Text
    prompt_path: Path
    fixed: Mapping[str, Any]
    rendered: tuple[tuple[str, Path, Template], ...]
    fingerprints: Fingerprints | None


class Moulds:
    """Moulds by combination and by the overrides that hold; each is made when it is first asked for."""

    def __init__(self, keys: ManifestFile, texts: Texts) -> None:
        self._keys = keys
        self._texts = texts
        self._known: dict[tuple[tuple[str, ...], tuple[int, ...]], Mould | None] = {}

    def mould(self, axes: Mapping[str, str], overrides: tuple[int, ...]) -> Mould | None:
        """The mould of a combination, `overrides` those that hold by index, in order; None when it is told why not."""
        key = (tuple(axes.values()), overrides)
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = self._made(axes, overrides)
        return self._known[key]

    def _made(self, axes: Mapping[str, str], overrides: tuple[int, ...]) -> Mould | None:
        layers = list(self._layers(axes, overrides))
        origin = self._origin([path for path, _ in layers])
        asked = merged(layers)
        if wanting := [name for name in ("prompt", "model") if name not in asked]:
            self._texts.say(origin, wanting[0], _LACKS.format(wanting[0]))
            return None
        path, words = asked.pop("prompt")
        prompt = self._texts.prompt(path, words)
        fields = {name: self._texts.field(path, value) for name, (path, value) in asked.items()}
        if prompt is None or None in fields.values():
            return None
        rendered = tuple((name, asked[name][0], value) for name, value in fields.items() if isinstance(value, Template))
        fixed = {name: value for name, value in fields.items() if not isinstance(value, Template)}
        whole = None if rendered else Fingerprints(Request(prompt="", **fixed))  # type: ignore[arg-type]
        return Mould(axes, origin, prompt, path, fixed, rendered, whole)

    def _layers(self, axes: Mapping[str, str], overrides: Iterable[int]) -> Iterator[tuple[Path, Any]]:
        """What sets fields, lowest first."""
        yield ("defaults",), self._keys.defaults
        if model := name_of("model", axes, self._keys.models):
            yield ("models", model), self._keys.models[model]
        if prompt := name_of("prompt", axes, self._keys.prompts):
            yield ("prompts", prompt), self._keys.prompts[prompt]
        for index in overrides:
            yield ("overrides", index), self._keys.overrides[index]

    def _origin(self, paths: list[Path]) -> Origin:
        prompt = next((path for path in paths if path[0] == "prompts"), None)
        layers = tuple(path for path in reversed(paths) if path[0] != "prompts")
        return Origin(layers, prompt, self._named(paths))

    def _named(self, paths: list[Path]) -> Path:
        if self._keys.rows is not None:
            return ("rows", "id") if self._keys.rows.id is not None else ("rows", "group_by")
        named = {path[0]: path for path in paths if path[0] in {"prompts", "models"}}
        return named.get("prompts") or named.get("models") or ("matrix",)


def name_of(axis: str, axes: Mapping[str, str], known: Iterable[str]) -> str | None:
    """The entry of `prompts` or `models` that a combination means: that of its axis, or the only one there is."""
    return axes[axis] if axis in axes else next(iter(known), None)


def merged(layers: Iterable[tuple[Path, Any]]) -> dict[str, tuple[Path, Any]]:
    """Request fields with their places, by precedence; null drops what stands below."""
    found: dict[str, tuple[Path, Any]] = {}
    for path, layer in layers:
        for name, value in _stated(layer):
            found.pop(name, None)
            if value is not None:
                found[name] = (path if path[0] == "prompts" else (*path, name), value)
    return found


def _stated(layer: RequestFields | str | PromptFile) -> Iterator[tuple[str, Any]]:
    if not isinstance(layer, RequestFields):
        yield "prompt", layer
        return
    for name in FIELDS:
        if name in layer.model_fields_set:
            yield name, getattr(layer, name)
