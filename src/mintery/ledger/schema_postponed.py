"""What could not go on, and when it is tried again. No fact of money: a row is written over, and leaves when its subject goes on."""

from sqlalchemy import Column, Text

from mintery.ledger.columns import integer, table, text

postponed = table(
    "postponed",
    Column("subject", Text, primary_key=True),
    *integer("tries", least=1),
    text("why"),
    *integer("since"),
    *integer("next_at"),
)
