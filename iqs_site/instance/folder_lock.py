"""The lock of an instance's folder, so that no two instances use the same data."""

import fcntl
from pathlib import Path

from iqs_site.instance.preflight import InstanceError


class FolderLock:
    """Held from its creation until `release`, or until the process ends. Its file has the address of the site."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. `folder`: of the instance, with the folder `run`.

        Raises InstanceError when another instance holds it.
        """
        self._file = (folder / "run" / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            url = self._file.read().strip()
            self._file.close()
            raise InstanceError(
                f"IQS is already running{f' at {url}' if url else ''} with the data in {folder}; "
                "stop it first, or set IQS_VAR to another folder."
            ) from None
        self.write("")

    def write(self, url: str) -> None:
        """Write the address of the site into the file, for the message of a second start."""
        self._file.truncate(0)
        self._file.write(url)
        self._file.flush()

    def release(self) -> None:
        """Let another instance use the folder."""
        self.write("")
        self._file.close()
