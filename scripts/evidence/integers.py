"""Words of the EVM as integers: what a query says of bit vectors, said of numbers. For smt.py; runs in .venv-audit.

Every number carries the range it must lie in, so a sum that cannot pass 2^256 is a sum, and a quotient by more than its
dividend is 0. What has no meaning here (hashes, masks of unknowns) is some number, whichever: that makes more possible, never
less, so a query that has no solution in numbers has none in words.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import z3

Op = Callable[["Integers", z3.ExprRef], "Number"]


@dataclass(frozen=True, slots=True)
class Number:
    term: z3.ArithRef
    least: int
    most: int


@dataclass(slots=True)
class Integers:
    """One query's translation. `facts` are what its numbers are known to be beside what is claimed of them."""

    facts: list[z3.BoolRef] = field(default_factory=list)
    _numbers: dict[int, tuple[z3.ExprRef, Number]] = field(default_factory=dict)
    _bounds: dict[int, int] = field(default_factory=dict)
    _claims: dict[int, tuple[z3.ExprRef, z3.BoolRef]] = field(default_factory=dict)
    _quotients: dict[tuple[int, int], tuple[Number, Number]] = field(default_factory=dict)
    _count: int = 0

    def bound(self, claim: z3.ExprRef) -> None:
        """Remember that a word is its own lower bits: `x = concat(0, x[127:0])` says that x is below 2^128."""
        if not z3.is_eq(claim):
            return
        for word, other in ((claim.arg(0), claim.arg(1)), (claim.arg(1), claim.arg(0))):
            if kind(other) == z3.Z3_OP_CONCAT and is_zero(other.arg(0)) and other.num_args() == 2:
                low = other.arg(1)
                if kind(low) == z3.Z3_OP_EXTRACT and low.params()[1] == 0 and low.arg(0).eq(word):
                    self._bounds[word.get_id()] = (2 << low.params()[0]) - 1

    def number(self, word: z3.ExprRef) -> Number:
        known = self._numbers.get(word.get_id())
        if known is None:
            translate = WORDS.get(kind(word), Integers.unknown)
            # The word is kept alive: its id stays its own.
            known = self._numbers[word.get_id()] = (word, translate(self, word))
        return known[1]

    def claim(self, claim: z3.ExprRef) -> z3.BoolRef:
        known = self._claims.get(claim.get_id())
        if known is None:
            known = self._claims[claim.get_id()] = (claim, self._claim(claim))
        return known[1]

    def _claim(self, claim: z3.ExprRef) -> z3.BoolRef:
        what, parts = kind(claim), claim.children()
        if what in CONNECTIVES:
            return CONNECTIVES[what](*map(self.claim, parts))
        if what in (z3.Z3_OP_EQ, z3.Z3_OP_DISTINCT) and z3.is_bool(parts[0]):
            left, right = map(self.claim, parts)
            return left == right if what == z3.Z3_OP_EQ else left != right
        if what in COMPARISONS and z3.is_bv(parts[0]):
            return COMPARISONS[what](self.number(parts[0]).term, self.number(parts[1]).term)
        if what in SIGNED:
            return SIGNED[what](*(self.signed(part) for part in parts))
        return z3.FreshBool()

    def signed(self, word: z3.ExprRef) -> z3.ArithRef:
        number, top = self.number(word).term, 1 << (word.size() - 1)
        return z3.If(number < top, number, number - 2 * top)

    # Words

    def value(self, word: z3.ExprRef) -> Number:
        value = word.as_long()
        return Number(z3.IntVal(value), value, value)

    def unknown(self, word: z3.ExprRef) -> Number:
        return self.fresh(0, self._bounds.get(word.get_id(), (1 << word.size()) - 1))

    def fresh(self, least: int, most: int) -> Number:
        self._count += 1
        term = z3.Int(f"n{self._count}")
        self.facts += [term >= least, term <= most]
        return Number(term, least, most)

    def wrapped(self, number: Number, bits: int) -> Number:
        """The number modulo 2^bits."""
        size = 1 << bits
        if number.least >= 0 and number.most < size:
            return number
        times = self.fresh(number.least // size, number.most // size)
        rest = self.fresh(0, size - 1)
        self.facts.append(rest.term == number.term - times.term * size)
        return rest

    def sum(self, word: z3.ExprRef) -> Number:
        parts = [self.summand(part) for part in word.children()]
        if kind(word) == z3.Z3_OP_BSUB:
            parts = [parts[0], *(Number(-part.term, -part.most, -part.least) for part in parts[1:])]
        whole = Number(z3.Sum([p.term for p in parts]), sum(p.least for p in parts), sum(p.most for p in parts))
        return self.wrapped(whole, word.size())

    def summand(self, word: z3.ExprRef) -> Number:
        """A product in a sum need not be wrapped by itself: 2^256 - 1 times x takes x away."""
        return self.exact_product(word) if kind(word) == z3.Z3_OP_BMUL else self.number(word)

    def product(self, word: z3.ExprRef) -> Number:
        return self.wrapped(self.exact_product(word), word.size())

    def exact_product(self, word: z3.ExprRef) -> Number:
        size = 1 << word.size()
        product = Number(z3.IntVal(1), 1, 1)
        for part in word.children():
            factor = self.number(part)
            if z3.is_bv_value(part) and factor.least >= size // 2:
                factor = Number(factor.term - size, factor.least - size, factor.least - size)
            ends = [a * b for a in (product.least, product.most) for b in (factor.least, factor.most)]
            product = Number(product.term * factor.term, min(ends), max(ends))
        return Number(z3.simplify(product.term), product.least, product.most)

    def quotient(self, word: z3.ExprRef) -> Number:
        return self.division(word)[0]

    def remainder(self, word: z3.ExprRef) -> Number:
        return self.division(word)[1]

    def division(self, word: z3.ExprRef) -> tuple[Number, Number]:
        """By 0 both are some number."""
        dividend, divisor = self.number(word.arg(0)), self.number(word.arg(1))
        key = (word.arg(0).get_id(), word.arg(1).get_id())
        if key in self._quotients:
            return self._quotients[key]
        most = (1 << word.size()) - 1
        if divisor.least > 0 and dividend.most < divisor.least:
            parts = Number(z3.IntVal(0), 0, 0), dividend
        elif divisor.least > 0:
            parts = (
                self.fresh(dividend.least // divisor.most, dividend.most // divisor.least),
                self.fresh(0, min(divisor.most - 1, dividend.most)),
            )
            self.facts += divides(dividend, divisor, *parts)
        else:
            parts = self.fresh(0, most), self.fresh(0, most)
            self.facts.append(z3.Implies(divisor.term != 0, z3.And(divides(dividend, divisor, *parts))))
        self._quotients[key] = parts
        return parts

    def extract(self, word: z3.ExprRef) -> Number:
        high, low = word.params()
        number = self.number(word.arg(0))
        if low:
            number = self.shifted(number, low)
        return self.wrapped(number, high - low + 1)

    def shifted(self, number: Number, bits: int) -> Number:
        if number.most < 1 << bits:
            return Number(z3.IntVal(0), 0, 0)
        quotient, rest = self.fresh(0, number.most >> bits), self.fresh(0, (1 << bits) - 1)
        self.facts.append(number.term == quotient.term * (1 << bits) + rest.term)
        return quotient

    def concat(self, word: z3.ExprRef) -> Number:
        whole = Number(z3.IntVal(0), 0, 0)
        for part in word.children():
            number, size = self.number(part), 1 << part.size()
            whole = Number(
                whole.term * size + number.term, whole.least * size + number.least, whole.most * size + number.most
            )
        return Number(z3.simplify(whole.term), whole.least, whole.most)

    def extended(self, word: z3.ExprRef) -> Number:
        return self.number(word.arg(0))

    def complement(self, word: z3.ExprRef) -> Number:
        number, most = self.number(word.arg(0)), (1 << word.size()) - 1
        return Number(most - number.term, most - number.most, most - number.least)

    def negative(self, word: z3.ExprRef) -> Number:
        number = self.number(word.arg(0))
        return self.wrapped(Number(-number.term, -number.most, -number.least), word.size())

    def choice(self, word: z3.ExprRef) -> Number:
        one, other = self.number(word.arg(1)), self.number(word.arg(2))
        term = z3.If(self.claim(word.arg(0)), one.term, other.term)
        return Number(term, min(one.least, other.least), max(one.most, other.most))


def divides(dividend: Number, divisor: Number, quotient: Number, rest: Number) -> list[z3.BoolRef]:
    return [dividend.term == quotient.term * divisor.term + rest.term, rest.term < divisor.term]


def kind(part: z3.ExprRef) -> int:
    return part.decl().kind() if z3.is_app(part) else -1


def is_zero(word: z3.ExprRef) -> bool:
    return z3.is_bv_value(word) and word.as_long() == 0


WORDS: dict[int, Op] = {
    z3.Z3_OP_BNUM: Integers.value,
    z3.Z3_OP_BADD: Integers.sum,
    z3.Z3_OP_BSUB: Integers.sum,
    z3.Z3_OP_BMUL: Integers.product,
    z3.Z3_OP_BUDIV: Integers.quotient,
    z3.Z3_OP_BUDIV_I: Integers.quotient,
    z3.Z3_OP_BUREM: Integers.remainder,
    z3.Z3_OP_BUREM_I: Integers.remainder,
    z3.Z3_OP_EXTRACT: Integers.extract,
    z3.Z3_OP_CONCAT: Integers.concat,
    z3.Z3_OP_ZERO_EXT: Integers.extended,
    z3.Z3_OP_BNOT: Integers.complement,
    z3.Z3_OP_BNEG: Integers.negative,
    z3.Z3_OP_ITE: Integers.choice,
}
CONNECTIVES: dict[int, Callable[..., z3.BoolRef]] = {
    z3.Z3_OP_TRUE: lambda: z3.BoolVal(True),
    z3.Z3_OP_FALSE: lambda: z3.BoolVal(False),
    z3.Z3_OP_AND: z3.And,
    z3.Z3_OP_OR: z3.Or,
    z3.Z3_OP_NOT: z3.Not,
    z3.Z3_OP_IMPLIES: z3.Implies,
    z3.Z3_OP_XOR: z3.Xor,
    z3.Z3_OP_ITE: z3.If,
}
COMPARISONS: dict[int, Callable[[z3.ArithRef, z3.ArithRef], z3.BoolRef]] = {
    z3.Z3_OP_EQ: lambda left, right: left == right,
    z3.Z3_OP_DISTINCT: lambda left, right: left != right,
    z3.Z3_OP_ULEQ: lambda left, right: left <= right,
    z3.Z3_OP_ULT: lambda left, right: left < right,
    z3.Z3_OP_UGEQ: lambda left, right: left >= right,
    z3.Z3_OP_UGT: lambda left, right: left > right,
}
SIGNED: dict[int, Callable[[z3.ArithRef, z3.ArithRef], z3.BoolRef]] = {
    z3.Z3_OP_SLEQ: lambda left, right: left <= right,
    z3.Z3_OP_SLT: lambda left, right: left < right,
    z3.Z3_OP_SGEQ: lambda left, right: left >= right,
    z3.Z3_OP_SGT: lambda left, right: left > right,
}
