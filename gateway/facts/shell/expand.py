"""Word expansion on abstract values: from the parts of a word to the arguments that it may become.

Order as in Bash Reference Manual 5.2, 3.5: braces, tilde, parameters, commands and arithmetic, splitting, globs (kept as
patterns). Nothing comes from the gateway's own environment: a name that the script did not set may be anything.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.braces import TooManyWords, expand_braces
from gateway.facts.shell.choices import Choices
from gateway.facts.shell.fields import FieldBuilder
from gateway.facts.shell.operators import apply_operator, each_with_operator, joined, takes_argument
from gateway.facts.shell.state import State
from gateway.facts.shell.surroundings import Surroundings
from gateway.facts.shell.tree import (
    Arithmetic,
    CommandSubstitution,
    ExtendedGlob,
    Parameter,
    Part,
    ProcessSubstitution,
    Text,
    Word,
)
from gateway.facts.shell.values import (
    EMPTY,
    HOLE,
    SOMETHING,
    UNKNOWN,
    Field,
    Stream,
    append_fields,
    escape_glob,
    has_glob,
)

NUMBER: Final = Field("*", glob=True)
"""A number nobody knows: a name without slashes."""
_TILDE: Final = re.compile(r"~(?P<user>[A-Za-z0-9._-]*|[+-])(?=/|:|$)")
_BLANK: Final = " \t\n"


class Expansion:
    """Expands the words of one command in one state, for one round of choices.

    `sources` and `hosts` collect what substitutions put into the words; `used` names the variables that were unknown.
    """

    def __init__(self, state: State, choices: Choices, around: Surroundings) -> None:
        self.state = state
        self.choices = choices
        self.around = around
        self.sources: set[str] = set()
        self.hosts: set[str] = set()
        self.used: set[str] = set()

    def fields(self, word: Word) -> list[Field]:
        """The arguments that a word becomes, split and with globs kept as patterns."""
        only = word.parts[0] if len(word.parts) == 1 else None
        if type(only) is Text and (only.quoted or "{" not in only.value):
            return self._split_word(word.parts)
        try:
            variants = expand_braces(word.parts)
        except TooManyWords:
            self.around.note("brace_limit")
            return [UNKNOWN]
        found: list[Field] = []
        for parts in variants:
            found.extend(self._split_word(parts))
        return found

    def text(self, word: Word, *, assignment: bool = False) -> Field:
        """The word as one text: not split, globs not active (assignments, `case`, here-strings)."""
        result = EMPTY
        for position, part in enumerate(word.parts):
            if type(part) is Text and not part.quoted:
                text = (
                    self._tilde(part.value, colons=assignment) if position == 0 or assignment else part.value
                )
                result = append_fields(result, Field(text))
            else:
                result = append_fields(result, self._one(part))
        return result

    def pattern(self, word: Word) -> Field:
        """The word as a pattern: quoted special characters are literal."""
        result = Field("", glob=True)
        for part in word.parts:
            if type(part) is Text:
                text = escape_glob(part.value) if part.quoted else part.value
                result = append_fields(result, Field(text, glob=True))
            elif type(part) is ExtendedGlob:
                result = append_fields(result, UNKNOWN)
            else:
                field = self._one(part)
                quoted = getattr(part, "quoted", False)
                result = append_fields(result, field if quoted else Field(field.text, glob=True))
        return result

    def _split_word(self, parts: tuple[Part, ...]) -> list[Field]:
        if len(parts) == 1 and type(parts[0]) is Text:
            only = parts[0]
            if only.quoted:
                return [Field(only.value)]
            if not has_glob(only.value) and not only.value.startswith("~"):
                return [Field(only.value)]
        builder = FieldBuilder(noglob="noglob" in self.state.options)
        for position, part in enumerate(parts):
            if type(part) is Text:
                if part.quoted:
                    builder.quoted(Field(part.value))
                else:
                    builder.literal(self._tilde(part.value, colons=False) if position == 0 else part.value)
            else:
                self._expanded(part, builder)
        return builder.done()

    def _expanded(self, part: Part, builder: FieldBuilder) -> None:
        """Add what an expansion gives, split where it is not quoted."""
        if type(part) is ExtendedGlob:
            builder.pattern(self._extended(part))
        elif type(part) is Parameter and not part.length and (every := self._every(part)) is not None:
            self._list(part, every, builder)
        elif type(part) is Parameter and not part.quoted and part.operator and takes_argument(self, part):
            self._inner_words(part.argument or Word(parts=()), builder)
        elif type(part) is CommandSubstitution:
            self._substituted(part, builder)
        elif type(part) is ProcessSubstitution or getattr(part, "quoted", False):
            builder.quoted(self._one(part))
        else:
            builder.splittable(self._one(part), self._separators())

    def _every(self, part: Parameter) -> list[Field] | None:
        """The elements that `$@` or `${array[@]}` stands for; None for a single value."""
        if part.indirect:
            return None
        if part.name in ("@", "*"):
            positional = self.state.positional
            if positional is None:
                return [UNKNOWN]
            return [self.state.program, *positional] if part.operator == ":" else list(positional)
        if part.index is None or part.index.literal not in ("@", "*"):
            return None
        name = self.state.references.get(part.name, part.name)
        if name in self.state.arrays:
            return self.state.arrays[name].values
        field = self.value(part.name, None)
        return [field] if field.text or part.quoted else []

    def _list(self, part: Parameter, every: list[Field], builder: FieldBuilder) -> None:
        """Add every element, each changed by the operator."""
        fields = each_with_operator(self, part, every) if part.operator else every
        star = part.name == "*" or (part.index is not None and part.index.literal == "*")
        if star and part.quoted:
            builder.quoted(joined(fields, self._separators()[:1]))
        else:
            builder.many(fields, quoted=part.quoted)

    def _inner_words(self, word: Word, builder: FieldBuilder) -> None:
        """Add the words after `${name-`: what is quoted in them stays together, the rest is split."""
        for position, part in enumerate(word.parts):
            if type(part) is not Text:
                self._expanded(part, builder)
            elif part.quoted:
                builder.quoted(Field(part.value))
            else:
                text = self._tilde(part.value, colons=False) if position == 0 else part.value
                builder.splittable(Field(text), self._separators())

    def _substituted(self, part: CommandSubstitution, builder: FieldBuilder) -> None:
        stream = self._run(part)
        if stream.alternatives:
            stream = self._picked(part, stream)
        if stream.text is None and stream.names is not None and not part.quoted:
            builder.many([name for name in stream.names if name.text], quoted=True)
            return
        field = _printed(stream)
        if part.quoted:
            builder.quoted(field)
        else:
            builder.splittable(field, self._separators())

    def _picked(self, part: CommandSubstitution, stream: Stream) -> Stream:
        """One of the texts that a substitution may print, in this round."""
        if self.choices.saturated:
            return SOMETHING
        return Stream(text=self.choices.pick(("printed", id(part)), stream.alternatives))

    def _run(self, part: CommandSubstitution) -> Stream:
        stream = self.around.substitute(part)
        self.sources |= stream.sources
        self.hosts |= stream.hosts
        return stream

    def _one(self, part: Part) -> Field:
        """One part as one text."""
        if type(part) is Text:
            return Field(part.value)
        if type(part) is Parameter:
            return self.parameter(part)
        if type(part) is CommandSubstitution:
            stream = self._run(part)
            return _printed(self._picked(part, stream) if stream.alternatives else stream)
        if type(part) is Arithmetic:
            return self.around.evaluate(self.text(part.expression))
        if type(part) is ProcessSubstitution:
            return Field(self.around.process(part))
        assert type(part) is ExtendedGlob
        return self._extended(part)

    def _extended(self, part: ExtendedGlob) -> Field:
        for alternative in part.alternatives:
            self.pattern(alternative)
        return NUMBER

    def parameter(self, part: Parameter) -> Field:
        """The value of `$name` or `${…}`."""
        value = self.plain(part)
        if part.length:
            every = self._every(part)
            if every is not None:
                return Field(str(len(every))) if all(field.known for field in every) else NUMBER
            exact = value.exact
            return Field(str(len(exact))) if exact is not None else NUMBER
        return apply_operator(self, part, value) if part.operator else value

    def plain(self, part: Parameter) -> Field:
        """The value of the parameter that `${…}` names, before its operator."""
        index = self.text(part.index) if part.index is not None else None
        if index is not None and index.exact not in ("@", "*"):
            number = self.around.evaluate(index)
            if not self.state.array(part.name).associative:
                index = number
            self.around.evaluate(index)
        told = f"${part.name}" in self.sources
        value = self.value(part.name, index)
        if (part.length or part.operator in ("+", ":+")) and not told:
            # Whether it is set, or how long it is, is all that the word then holds of it.
            self.sources.discard(f"${part.name}")
        if part.indirect:
            value = self._indirect(part, value)
        return value

    def _indirect(self, part: Parameter, value: Field) -> Field:
        if part.operator in ("*", "@"):
            return UNKNOWN
        name = value.exact
        if name is None or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]", name):
            self.around.note("param_transform")
            return UNKNOWN
        return self.value(name, None)

    def value(self, name: str, index: Field | None) -> Field:
        """What a variable, positional or special parameter may hold in this round."""
        if self.choices.saturated:
            return UNKNOWN
        if name.isdecimal():
            return self._numbered(int(name[:6]))
        if not (name[0].isalpha() or name[0] == "_"):
            return self._special(name)
        if index is not None and name in self.state.arrays:
            return self._element(name, index)
        if index is not None and index.exact not in ("@", "*", "0", None) and name in self.state.variables:
            return self.choices.pick(("array", name, index), self.state.array(name).element(index))
        alternatives = self.state.get(name)
        field = self.choices.pick(("variable", name), alternatives)
        if field.unknown:
            self.used.add(name)
            self.sources.add(f"${name}")
        return field

    def _element(self, name: str, index: Field) -> Field:
        array = self.state.arrays[name]
        if index.exact in ("@", "*"):
            return joined(array.values, " ")
        return self.choices.pick(("array", name, index), array.element(index))

    def _numbered(self, number: int) -> Field:
        if number == 0:
            return self.state.program
        positional = self.state.positional
        if positional is None:
            return UNKNOWN
        return positional[number - 1] if number <= len(positional) else EMPTY

    def _special(self, name: str) -> Field:
        positional = self.state.positional
        if name == "#":
            return Field(str(len(positional))) if positional is not None else NUMBER
        if name in ("@", "*"):
            if positional is None:
                return UNKNOWN
            return joined(positional, " ")
        return NUMBER

    def _separators(self) -> str:
        """The characters that split: IFS as far as it is known."""
        value = self.state.variables.get("IFS")
        if value is None or len(value) != 1 or value[0].exact is None:
            return _BLANK
        return value[0].text

    def _tilde(self, text: str, *, colons: bool) -> str:
        if "~" not in text:
            return text
        if colons:
            return ":".join(self._tilde(piece, colons=False) for piece in text.split(":"))
        found = _TILDE.match(text)
        if found is None:
            return text
        user = found["user"]
        if user in ("", "+", "-"):
            name = {"": "HOME", "+": "PWD", "-": "OLDPWD"}[user]
            field = self.choices.pick(("variable", name), self.state.get(name))
            home = HOLE if field.glob else field.text
        else:
            home = "/root" if user == "root" else f"/home/{user}"
        return home + text[found.end() :]


def _printed(stream: Stream) -> Field:
    """What a substitution puts into a word: the output without its last newlines."""
    if stream.text is not None:
        return Field(stream.text.rstrip("\n"))
    if stream.names is not None and len(stream.names) == 1:
        return stream.names[0]
    return UNKNOWN
