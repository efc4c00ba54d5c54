"""Jinja's syntax tree, cut down to what a template may hold; every other node is refused before anything is compiled.

Names are numbered on the way, so that the compiled code knows nothing but `cell0_`, `cell1_`, whatever a column is
called.
"""

from collections.abc import Iterator
from typing import Final, NoReturn

from jinja2 import nodes

from batchgen.manifest.cells import read_number
from batchgen.manifest.misread import Misread
from batchgen.manifest.template.arguments import Arguments
from batchgen.manifest.template.filters import RULES, TESTS, Type
from batchgen.manifest.template.spots import Spots
from batchgen.manifest.vocabulary import Names

DEEPEST: Final = 50

_ORDERS: Final = {"lt", "lteq", "gt", "gteq"}
_INSTEAD: Final[dict[type[nodes.Node], tuple[str, str]]] = {
    nodes.Getattr: ("there are no attributes here", "reach a column by row['Column Name'], and change it by a filter"),
    nodes.Call: ("nothing can be called here", "filters are written {{ title | lower }}"),
    nodes.For: ("there are no loops here", ""),
    nodes.Assign: ("nothing can be set here", ""),
    nodes.AssignBlock: ("nothing can be set here", ""),
    nodes.Macro: ("there are no macros here", ""),
    nodes.Concat: ("`~` joins nothing here", "write two values side by side: {{ a }}-{{ b }}"),
    nodes.And: ("this is a condition, not a text", "for a value in place of an absent one, write default(…)"),
    nodes.Or: ("this is a condition, not a text", "for a value in place of an absent one, write default(…)"),
    nodes.Not: ("this is a condition, not a text", "write {{ 'this' if … else 'that' }}"),
    nodes.BinExpr: ("there is no arithmetic here", ""),
    nodes.UnaryExpr: ("there is no arithmetic here", ""),
}


class Checker:
    """Checks one tree and numbers its names: `cells` are (name, in row) by number."""

    def __init__(self, names: Names, spots: Spots) -> None:
        self.cells: list[tuple[str, bool]] = []
        self._names = names
        self._spots = spots
        self._depth = 0

    def template(self, tree: nodes.Template) -> None:
        """Check a whole template.

        Raises:
            Misread: something in it is not of this language.
        """
        self._body(tree.body)

    def _body(self, body: list[nodes.Node]) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    self._output(node)
                case nodes.If():
                    self._if(node)
                case _:
                    self._refuse(node)

    def _output(self, node: nodes.Output) -> None:
        for index, each in enumerate(node.nodes):
            if isinstance(each, nodes.TemplateData):
                continue
            node.nodes[index], kind = self._value(each)
            if kind == "truth":
                self._say(each, "this is a condition, not a text", hint="write {{ 'this' if … else 'that' }}")

    def _if(self, node: nodes.If) -> None:
        self._enter(node)
        assert isinstance(node.test, nodes.Expr)
        node.test = self._condition(node.test)
        self._body(node.body)
        for other in node.elif_:
            self._if(other)
        self._body(node.else_)
        self._depth -= 1

    def _condition(self, node: nodes.Expr) -> nodes.Expr:
        self._enter(node)
        match node:
            case nodes.And() | nodes.Or():
                node.left, node.right = self._condition(node.left), self._condition(node.right)
            case nodes.Not():
                node.node = self._condition(node.node)
            case _:
                node, _ = self._value(node)
        self._depth -= 1
        return node

    def _value(self, node: nodes.Expr) -> tuple[nodes.Expr, Type]:
        """A checked value, perhaps another node than before, and what it is."""
        self._enter(node)
        match node:
            case nodes.Const():
                found: tuple[nodes.Expr, Type] = node, self._constant(node)
            case nodes.Name():
                if node.name not in self._names:
                    self._names.check(node.name, self._spots.of(node.lineno, node.name))
                found = self._cell(node, node.name, in_row=False), "text"
            case nodes.Getitem():
                found = self._part(node), "text"
            case nodes.Filter():
                found = node, self._filter(node)
            case nodes.Compare():
                found = node, self._compare(node)
            case nodes.Test():
                found = node, self._test(node)
            case nodes.CondExpr():
                found = node, self._choice(node)
            case _:
                self._refuse(node)
        self._depth -= 1
        return found

    def _constant(self, node: nodes.Const) -> Type:
        if isinstance(node.value, str):
            return "text"
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return "number"
        word = str(node.value).lower()
        return self._say(node, f"`{word}` is no word of this language", word, f"cells are text: write '{word}'")

    def _cell(self, node: nodes.Node, name: str, *, in_row: bool) -> nodes.Name:
        cell = (name, in_row)
        if cell not in self.cells:
            self.cells.append(cell)
        return nodes.Name(f"cell{self.cells.index(cell)}_", "load", lineno=node.lineno)

    def _part(self, node: nodes.Getitem) -> nodes.Expr:
        match node:
            case nodes.Getitem(node=nodes.Name(name="row"), arg=nodes.Const(value=str() as header)):
                if not self._names.has_column(header):
                    self._names.check_column(header, self._spots.of(node.lineno, header))
                return self._cell(node, header, in_row=True)
            case nodes.Getitem(node=nodes.Name(name="row")) if "row" not in self._names:
                self._say(node, "row takes the name of a column", "row", "write row['Column Name']")
        node.node = self._text(node.node, "a slice")
        match node.arg:
            case nodes.Slice(start=start, stop=stop, step=None):
                self._whole(start, node)
                self._whole(stop, node)
            case index:
                at = self._whole(index, node)
                stop = None if at == -1 else nodes.Const(at + 1)
                node.arg = nodes.Slice(nodes.Const(at), stop, None, lineno=node.lineno)
        return node

    def _whole(self, node: nodes.Expr | None, owner: nodes.Node) -> int:
        match node:
            case None:
                return 0
            case nodes.Const(value=int() as value) if not isinstance(value, bool):
                return value
            case nodes.Neg(node=nodes.Const(value=int() as value)) if not isinstance(value, bool):
                return -value
            case _:
                return self._say(owner, "a slice has whole numbers, and no step", "[", "such as {{ handle[:2] }}")

    def _text(self, node: nodes.Expr, what: str) -> nodes.Expr:
        checked, kind = self._value(node)
        if kind != "text":
            self._say(node, f"{what} takes a text, and this is {_named(kind)}")
        return checked

    def _filter(self, node: nodes.Filter) -> Type:
        rule = RULES.get(node.name)
        if rule is None or node.node is None:
            known = Names(sorted(RULES))
            self._say(node, f"there is no filter `{node.name}`", node.name, known.instead(node.name))
        node.node, kind = self._value(node.node)
        if kind != rule.takes:
            hint = "write `float | round(2)`" if node.name == "round" else "a number filter comes last"
            self._say(node, f"`{node.name}` takes a {rule.takes}, and this is {_named(kind)}", node.name, hint)
        Arguments(node, rule, self._text, self._say).check()
        return rule.gives

    def _compare(self, node: nodes.Compare) -> Type:
        if len(node.ops) != 1:
            self._say(node, "one comparison at a time", hint="join two with `and`")
        operand = node.ops[0]
        node.expr, left = self._value(node.expr)
        if operand.op in {"in", "notin"} and isinstance(operand.expr, (nodes.List, nodes.Tuple)):
            self._listed(operand.expr, left)
            return "truth"
        operand.expr, right = self._value(operand.expr)
        if left != right or "truth" in {left, right} or (operand.op in {"in", "notin"} and left != "text"):
            hint = "a cell becomes a number by a filter: {{ … if stock | float > 5 }}"
            self._say(node, f"this compares {_named(left)} with {_named(right)}", hint=hint)
        if operand.op in _ORDERS and left == "text":
            self._check_order(node.expr, operand.expr)
        return "truth"

    def _check_order(self, left: nodes.Expr, right: nodes.Expr) -> None:
        fixed = [each.value for each in (left, right) if isinstance(each, nodes.Const)]
        if not fixed or any(read_number(text) is not None for text in fixed):
            self._say(left, "this orders texts, not numbers", hint="a cell becomes a number by a filter: stock | float")

    def _listed(self, node: nodes.List | nodes.Tuple, left: Type) -> None:
        for each in node.items:
            if not isinstance(each, nodes.Const) or self._constant(each) != left:
                self._say(each, f"this list holds {left}s, each written here")

    def _test(self, node: nodes.Test) -> Type:
        if node.name not in TESTS or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._say(node, f"there is no test `{node.name}`", node.name, "write `is defined`, or compare with ==")
        if node.name in {"defined", "undefined"}:
            node.node = self._text(node.node, f"`{node.name}`")
            return "truth"
        node.node, kind = self._value(node.node)
        whole = all(isinstance(arg, nodes.Const) and isinstance(arg.value, int) and arg.value for arg in node.args)
        if kind != "number" or not whole or len(node.args) != (node.name == "divisibleby"):
            self._say(node, f"`{node.name}` asks a number: {{{{ … if stock | int is {node.name} }}}}", node.name)
        return "truth"

    def _choice(self, node: nodes.CondExpr) -> Type:
        node.test = self._condition(node.test)
        node.expr1, kind = self._value(node.expr1)
        if node.expr2 is not None:
            node.expr2, other = self._value(node.expr2)
            if other != kind:
                self._say(node, f"this gives {_named(kind)} or {_named(other)}; let both be text")
        return kind

    def _enter(self, node: nodes.Node) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._say(node, f"more than {DEEPEST} steps inside each other")

    def _refuse(self, node: nodes.Node) -> NoReturn:
        known = (found for kind, found in _INSTEAD.items() if isinstance(node, kind))
        message, hint = next(known, (f"{_plain(node)} has no place in a template", ""))
        self._say(node, message, next(self._words(node), ""), hint)

    def _say(self, node: nodes.Node, message: str, needle: str = "", hint: str = "") -> NoReturn:
        raise Misread(message, self._spots.of(node.lineno, needle or next(self._words(node), "")), hint)

    def _words(self, node: nodes.Node) -> Iterator[str]:
        """Words by which a node is found in its line."""
        match node:
            case nodes.Getattr(attr=word) | nodes.Filter(name=word) | nodes.Test(name=word):
                yield word
            case nodes.Name(name=word):
                number = word.removeprefix("cell").removesuffix("_")
                yield self.cells[int(number)][0] if number.isdecimal() and int(number) < len(self.cells) else word
        for child in node.iter_child_nodes():
            yield from self._words(child)


def _named(kind: Type) -> str:
    return {"text": "a text", "number": "a number", "truth": "a condition"}[kind]


def _plain(node: nodes.Node) -> str:
    return f"`{type(node).__name__.lower()}`"
