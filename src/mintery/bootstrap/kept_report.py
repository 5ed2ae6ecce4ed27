"""The report that a reporter signed last, in a file, so that one which is started again in the same epoch shows it again."""

from pathlib import Path

from mintery.chain.deployment import deployment_path, write_whole
from mintery.domain.voucher import Address
from mintery.errors import SystemRefused


class ReportFile:
    """One reporter's, for one oracle."""

    def __init__(self, home: Path, genesis_hash: str, oracle: Address, reporter: Address) -> None:
        name = f"price-report-{oracle.lower()}-{reporter.lower()}.json"
        self._path = deployment_path(home, genesis_hash).parent / name

    def read(self) -> bytes | None:
        """None before the first. Raises SystemRefused."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SystemRefused(str(self._path), str(error.strerror)) from None

    def write(self, report: bytes) -> None:
        """It is on the disk when this returns. Raises SystemRefused."""
        try:
            write_whole(self._path, report)
        except OSError as error:
            raise SystemRefused(str(self._path), str(error.strerror)) from None
