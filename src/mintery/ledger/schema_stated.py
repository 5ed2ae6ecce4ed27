"""What was stated of orders, payments, refunds and their calls: append-only, so that it can be sealed.

Those rows come to their facts one after the other. Each writing of one states here, in the same commit, what is new in it.
"""

from sqlalchemy import Index

from mintery.ledger.columns import sequence, table, text

stated_facts = table(
    "stated_facts",
    sequence(),
    # Whose, as ``stating.STATED`` names it, and which of them.
    text("of_table"),
    text("row_id"),
    # JSON: what of the row's columns was not stated before, bytes as hex digits.
    text("facts"),
    Index(None, "of_table", "row_id", "seq"),
)
