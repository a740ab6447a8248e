"""Files in the place of S3's objects: DIRECTORY/BUCKET/KEY."""

from pathlib import Path


def file_of(directory: Path, name: str) -> Path | None:
    """The file that stands for BUCKET/KEY, if it is one, and below the directory wherever links lead."""
    root = directory.resolve()
    try:
        file = (root / name).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):
        return None
