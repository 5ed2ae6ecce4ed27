"""Small faults in Solidity source, one a mutant: what `mutate.py` plants."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# (pattern, replacements): each match gives one mutant a replacement.
TOKENS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?<![<>=!])<(?![<=])", ("<=", ">=")),
    (r"(?<![<>=-])>(?![>=])", (">=", "<=")),
    (r"<=", ("<", ">")),
    (r"(?<!>)>=", (">", "<")),
    (r"==", ("!=",)),
    (r"!=", ("==",)),
    (r"(?<!\+)\+(?![+=])", ("-",)),
    (r"(?<!-)-(?![-=>])", ("+",)),
    (r"(?<![*/])\*(?![*/])", ("+",)),
    (r"(?<![/*])/(?![/*])", ("*",)),
    (r"%", ("/",)),
    (r"&&", ("||",)),
    (r"\|\|", ("&&",)),
    (r"(?<!\|)\|(?![|=])", ("&",)),
    (r"(?<!&)&(?![&=])", ("|",)),
    (r"<<", (">>",)),
    (r">>(?!=)", ("<<",)),
    (r"!(?=[\w(])", ("",)),
    (r"\+=", ("-=", "=")),
    (r"-=", ("+=", "=")),
    (r"\+\+", ("--",)),
    (r"--", ("++",)),
    (r"\btrue\b", ("false",)),
    (r"\bfalse\b", ("true",)),
    (r"toAssetsUp\b", ("toAssetsDown",)),
    (r"toAssetsDown\b", ("toAssetsUp",)),
    (r"Math\.min\b", ("Math.max",)),
    (r"Rounding\.Ceil", ("Rounding.Floor",)),
    (r"\bnonReentrant\b", ("",)),
    (r"\brestricted\b", ("",)),
    (r"\bonlyVault\b", ("",)),
    (r"\breturn (?!\()(?=[^;]*[\w)];)", ("return 0 * ",)),
    (r"(?<![\w.])\d+(?:e\d+)?(?= hours| days|\b(?![\w.]))", ("({} + 1)",)),
)
NEGATIONS = {r"==", r"!=", r"!(?=[\w(])", TOKENS[-1][0]}
SKIPPED = re.compile(
    r"^\s*(//|/\*|\*|[.)\]]|import |pragma |using |error |event |struct |enum |function |library |contract |abstract )"
)
CONDITION = re.compile(r"\bif \((?P<condition>.*)\)(?= (?:return|continue|break|\{)|$)")
DECLARATION = re.compile(
    r"^\s*(?:mapping\b|\([\w.]+ \w+|"
    r"[A-Za-z_][\w.\[\]]*(?: (?:memory|storage|calldata|public|private|internal|constant|immutable))* \w+(?: =|;))"
)
STATEMENT = re.compile(r"^\s*(?!return\b)[^{}]*;\s*$")
CHECK = re.compile(r"^\s*if \(.*\) revert .*;\s*$")
# Text in strings and in type lists is no code.
OPAQUE = re.compile(r"\"[^\"]*\"|\b(?:uint|int|bytes)\d+\b|=>|0x[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Mutant:
    path: str
    # From 1.
    line: int
    column: int
    before: str
    after: str

    @property
    def key(self) -> str:
        """The same fault at the same place, also after lines moved."""
        return f"{self.path} | {self.before.strip()} | {self.after.strip()}"

    def apply(self, source: str) -> str:
        lines = source.split("\n")
        lines[self.line - 1] = self.after
        return "\n".join(lines)


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a source, in order, each once."""
    seen: set[tuple[int, str]] = set()
    in_signature = False
    for number, line in enumerate(source.split("\n"), start=1):
        code = line.split("//", 1)[0]
        # A signature or an event over several lines: its numbers are types.
        opens = re.match(r"\s*(?:error|event|function|constructor|struct|enum|modifier)\b", code)
        in_signature = (in_signature or bool(opens)) and not re.search(r"[{;]\s*$", code)
        if SKIPPED.match(line) or not code.strip():
            continue
        for column, after in [*_whole(code), *([] if in_signature else _tokens(code))]:
            mutated = after + line[len(code) :]
            if mutated != line and (number, mutated) not in seen:
                seen.add((number, mutated))
                yield Mutant(path, number, column, line, mutated)


def _whole(code: str) -> Iterator[tuple[int, str]]:
    indent = len(code) - len(code.lstrip())
    if match := CONDITION.search(code):
        start, end = match.span("condition")
        for constant in ("true", "false"):
            yield start, f"{code[:start]}{constant}{code[end:]}"
    elif STATEMENT.match(code) and not DECLARATION.match(code):
        yield indent, " " * indent


def _tokens(code: str) -> Iterator[tuple[int, str]]:
    opaque = [match.span() for match in OPAQUE.finditer(code)]
    # A check is deleted as a whole, so negating it would say nothing new; its bound may be off by one.
    check = CHECK.match(code)
    if check:
        opaque.append((code.index(" revert "), len(code)))
    for pattern, replacements in TOKENS:
        if check and pattern in NEGATIONS:
            continue
        for match in re.finditer(pattern, code):
            if any(start < match.end() and match.start() < end for start, end in opaque):
                continue
            for replacement in replacements[:1] if check else replacements:
                text = replacement.format(match.group())
                yield match.start(), code[: match.start()] + text + code[match.end() :]
