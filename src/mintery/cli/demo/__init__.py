"""The demo: the whole way of the money once, with every figure checked and not only printed.

``steps`` walks, ``figures`` compares at the end, ``printing`` tells people.
"""
