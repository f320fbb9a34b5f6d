"""Where downloaded data lie, and the one error for data that are missing or wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENVIRONMENT_VARIABLE = "INNERVISION_CACHE"


class DataError(ValueError):
    """Data are missing, damaged, or not what they should be; the message is one sentence that says what to do."""


def cache_folder(cache: str | Path | None = None) -> Path:
    """The folder of downloaded data; it need not exist yet.

    Args:
        cache: A folder that takes precedence over all else.

    Returns:
        ``cache``, else the folder named by ``INNERVISION_CACHE``, else the platform's cache folder of this user.
    """
    if chosen := cache or os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "innervision"
