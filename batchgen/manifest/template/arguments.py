"""The arguments of a filter, held against its rule: what sizes a text is a bounded number written in the template."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NoReturn, Protocol, cast

from jinja2 import nodes

from batchgen.manifest.template.filters import WIDEST, Argument, Rule


class Say(Protocol):
    """What refuses a node, at a word of it."""

    def __call__(self, node: nodes.Node, message: str, needle: str = "", hint: str = "") -> NoReturn:
        """Raise Misread."""


_WANTED: Final[Mapping[Argument, str]] = {
    "width": f"a whole number up to {WIDEST}",
    "flag": "true or false",
    "fixed text": "a text in quotes",
    "some text": "a text in quotes, not empty",
}


class Arguments:
    """Checks one use of a filter; `text` checks an argument that may be any text, and gives it back."""

    def __init__(self, node: nodes.Filter, rule: Rule, text: Callable[[nodes.Expr, str], nodes.Expr], say: Say) -> None:
        self._node = node
        self._rule = rule
        self._text = text
        self._say = say

    def check(self) -> None:
        """Refuse what is too much, too little or of the wrong kind."""
        node, names = self._node, tuple(self._rule.arguments)
        if node.dyn_args or node.dyn_kwargs or len(node.args) > len(names):
            self._refuse(f"`{node.name}` takes {len(names) or 'no'} arguments")
        node.args = [self._checked(name, value) for name, value in zip(names, node.args, strict=False)]
        for pair in self._pairs():
            if pair.key not in names[len(node.args) :]:
                self._refuse(f"`{node.name}` has no argument `{pair.key}`, or has it already")
            pair.value = self._checked(pair.key, pair.value)
        given = self._given()
        for name in names[: self._rule.needed]:
            if name not in given:
                self._refuse(f"`{node.name}` needs something in its parentheses")
        if node.name == "truncate":
            self._check_truncate(given)

    def _pairs(self) -> Iterator[nodes.Keyword]:
        return (cast("nodes.Keyword", pair) for pair in self._node.kwargs)

    def _given(self) -> dict[str, nodes.Expr]:
        in_order = dict(zip(self._rule.arguments, self._node.args, strict=False))
        return in_order | {pair.key: pair.value for pair in self._pairs()}

    def _check_truncate(self, given: Mapping[str, nodes.Expr]) -> None:
        length, end = given.get("length", nodes.Const(255)), given.get("end", nodes.Const("..."))
        assert isinstance(length, nodes.Const)
        assert isinstance(end, nodes.Const)
        if length.value < len(end.value):
            self._say(self._node, "this is shorter than what it puts at the end", "truncate", "truncate(80)")

    def _checked(self, name: str, value: nodes.Expr) -> nodes.Expr:
        kind = self._rule.arguments[name]
        match kind, value:
            case "width", nodes.Const(value=int() as width) if not isinstance(width, bool) and width <= WIDEST:
                return value
            case "flag", nodes.Const(value=bool()):
                return value
            case "fixed text" | "some text", nodes.Const(value=str() as text) if text or kind == "fixed text":
                return value
            case "text", nodes.Const(value=(int() | float()) as plain) if not isinstance(plain, bool):
                return nodes.Const(str(plain), lineno=value.lineno)
            case "text", _:
                return self._text(value, f"`{self._node.name}`")
        return self._refuse(f"`{name}` of `{self._node.name}` is {_WANTED[kind]}, written here")

    def _refuse(self, message: str) -> NoReturn:
        self._say(self._node, message, self._node.name)
