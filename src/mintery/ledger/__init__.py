"""The ledger: who holds how many credits, what is set aside, what was charged, what was settled. Only importer of sqlalchemy.

``open_ledger`` gives the one implementation of ``reads.Ledger``; ``commands`` says what it can be asked to write.
"""
