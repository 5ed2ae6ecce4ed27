"""LiteLLM's proxy, from an environment of its own: ``python -m tests.bench.litellm_row ENVIRONMENT UPSTREAM FOLDER``.

Nothing of it is imported here, and it sees no variable of ours but the path: it never runs where keys are.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.bench.standing import stand

_READY_SECONDS = 180


def main() -> None:
    environment, upstream, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    parameters = {"model": "openai/echo", "api_base": upstream, "api_key": "none"}
    config = folder / "litellm.json"  # JSON is YAML
    config.write_text(json.dumps({"model_list": [{"model_name": "test/chat", "litellm_params": parameters}]}))
    port = _free_port()
    options = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    proxy = subprocess.Popen(
        [environment / "bin" / "litellm", *options, "--telemetry", "False"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
        },
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/liveliness", proxy)
        stand({"url": f"http://127.0.0.1:{port}/v1", "pid": proxy.pid})
    finally:
        proxy.terminate()
        proxy.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(url: str, proxy: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own loopback address
                answer.read()
                return
        except (urllib.error.URLError, OSError):
            if proxy.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()
