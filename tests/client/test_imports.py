import json
import subprocess
import sys

import mintery.client

HEAVY = ["web3", "sqlalchemy", "alembic", "fastapi", "eth_tester", "eth_account", "aiohttp", "apscheduler", "openai"]


def test_the_client_imports_no_server_chain_or_database() -> None:
    program = f"import json, sys, mintery.client; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"

    loaded = json.loads(
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    )

    assert loaded == []


def test_everything_announced_is_there() -> None:
    assert all(callable(getattr(mintery.client, name)) for name in mintery.client.__all__)
