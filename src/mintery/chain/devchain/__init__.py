"""The development chain: an Ethereum chain inside this process, and over JSON-RPC for everyone else.

``chain`` has ``DevChain``, ``running`` has ``run_devchain``; nothing is imported here, as the engine takes a second.
"""
