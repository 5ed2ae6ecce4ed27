"""Answer one query of halmos: `smt.py FILE` prints unsat, or sat and a model, or unknown. Runs in .venv-audit.

Halmos asks about words of 256 bits; amounts that are multiplied and divided are hopeless bit by bit and easy as integers. So
storage that is read where it was written becomes what was written there, and the rest goes to z3 as numbers (integers.py).
Where that finds no contradiction it says nothing, and yices gets the query as it is.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import z3
from integers import Integers

TOOLS = Path(sys.executable).parent
# A contradiction shows in a fraction of a second, or the search went astray and another one may not.
INTEGER_SECONDS = 4
SEARCHES = 4
WORD_SECONDS = int(os.environ.get("WORD_SECONDS", "20"))
WORD = r"\(\(_ BitVec \2\) \(_ BitVec \2\)\) \(_ BitVec \2\)\)"
HEAD = r"(define-fun f_evm_\1_\2 ((x (_ BitVec \2)) (y (_ BitVec \2))) (_ BitVec \2) "


def main() -> int:
    query = with_arithmetic(Path(sys.argv[-1]).read_text())
    print("unsat" if contradicts_itself(query) else ask_yices(query))
    return 0


def with_arithmetic(query: str) -> str:
    """Products and quotients are functions without a meaning to halmos; they are what the EVM makes of them."""
    query = re.sub(rf"\(declare-fun f_evm_(bvmul)_(\d+) {WORD}", HEAD + r"(\1 x y))", query)
    return re.sub(
        rf"\(declare-fun f_evm_(bvudiv|bvurem|bvsdiv|bvsrem)_(\d+) {WORD}",
        HEAD + r"(ite (= y (_ bv0 \2)) (_ bv0 \2) (\1 x y)))",
        query,
    )


def contradicts_itself(query: str) -> bool:
    claims = without_storage(list(z3.parse_smt2_string(query)))
    integers = Integers()
    for claim in claims:
        integers.bound(claim)
    wanted = [integers.claim(claim) for claim in claims]
    for search in range(SEARCHES):
        solver = z3.Solver()
        solver.set("timeout", INTEGER_SECONDS * 1000)
        solver.set("random_seed", search)
        solver.add(wanted)
        solver.add(integers.facts)
        found = solver.check()
        if found != z3.unknown:
            break
    return found == z3.unsat


def without_storage(claims: list[z3.BoolRef]) -> list[z3.BoolRef]:
    """Each array is another with one more word written; read at a known place, that word is known, or an unknown by itself."""
    arrays: list[tuple[z3.ExprRef, z3.ExprRef]] = []
    rest = []
    # Halmos numbers them as it writes, and so do these come.
    for claim in claims:
        if z3.is_eq(claim) and z3.is_array(claim.arg(0)) and z3.is_const(claim.arg(0)):
            arrays.append((claim.arg(0), z3.simplify(z3.substitute(claim.arg(1), *arrays))))
        else:
            rest.append(claim)
    rest = [z3.simplify(z3.substitute(claim, *arrays)) for claim in rest]
    cells: dict[z3.ExprRef, z3.ExprRef] = {}
    for claim in rest:
        for read in every(claim):
            if z3.is_select(read) and z3.is_const(read.arg(0)) and z3.is_bv_value(read.arg(1)) and read not in cells:
                cells[read] = z3.BitVec(f"cell_{len(cells)}", read.size())
    return [z3.simplify(z3.substitute(claim, *cells.items())) for claim in rest]


def every(claim: z3.ExprRef) -> Iterator[z3.ExprRef]:
    """Each part of it once."""
    seen: set[int] = set()
    left = [claim]
    while left:
        part = left.pop()
        if part.get_id() not in seen:
            seen.add(part.get_id())
            yield part
            left += part.children()


def ask_yices(query: str) -> str:
    try:
        # It comes with the lock file.
        answer = subprocess.run(  # noqa: S603
            [TOOLS / "yices-smt2", "/dev/stdin"],
            input=query,
            capture_output=True,
            text=True,
            check=False,
            timeout=WORD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "unknown"
    return answer.stdout or "unknown"


if __name__ == "__main__":
    sys.exit(main())
