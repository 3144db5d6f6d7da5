"""Bundle folders on disk: which files belong to a bundle, and where its vocabulary and schema come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from federation.contract.errors import BadInputError, NotFoundError
from node.policy.bundle import TESTS_FOLDER, TYPES_FOLDER, VOCABULARY_FILE, Bundle, is_read, read_bundle
from node.policy.checks.rule import Subject
from node.policy.checks.specified import check
from node.policy.coverage import Coverage
from node.policy.messages import message
from node.policy.schema_view import SchemaView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from node.policy.findings import Finding

SCHEMA_FILE: Final = "schema.graphql"


def shared_policies_folder() -> Path:
    """Return the folder of the shared vocabulary and the demo's bundles, in the repository or an installed wheel."""
    root = Path(__file__).parents[2]
    in_repository = root / "policies"
    return in_repository if in_repository.is_dir() else root / "crocevia_data" / "policies"


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """A bundle's folder after reading and checking; the bundle is None if it has an error of its own."""

    folder: Path
    bundle: Bundle | None
    findings: tuple[Finding, ...]
    coverage: Coverage | None = None
    """How much of the schema the bundle governs; None without a schema or a bundle."""


def bundle_folders(root: Path) -> tuple[Path, ...]:
    """Return the folder itself if it holds a bundle, else the folders directly in it that do.

    Raises:
        NotFoundError: there is no bundle.
    """
    if not root.is_dir():
        raise NotFoundError(
            message("folder `{root}` does not exist; name a bundle's folder with `--policies`", root=root)
        )
    if (root / "types").is_dir():
        return (root,)
    found = tuple(sorted(child for child in root.iterdir() if (child / "types").is_dir()))
    if not found:
        raise NotFoundError(
            message("folder `{root}` holds no policies: expected `{expected}`", root=root, expected=root / "types")
        )
    return found


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a bundle by relative path; a missing vocabulary is the parent folder's.

    What has no effect is read as well, so that it is refused: `node.policy.bundle.is_read` says which files.

    Raises:
        OSError: a file cannot be read.
    """
    found = {path.relative_to(folder).as_posix(): path for path in _around(folder) if not path.is_dir()}
    files = {name: path.read_bytes() for name, path in found.items() if is_read(name)}
    if VOCABULARY_FILE not in files and (folder.parent / VOCABULARY_FILE).is_file():
        files[VOCABULARY_FILE] = (folder.parent / VOCABULARY_FILE).read_bytes()
    return files


def _around(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and in the folders in it, and everything below a bundle's two folders."""
    yield from folder.glob("*")
    yield from folder.glob("*/*")
    for name in (TYPES_FOLDER, TESTS_FOLDER):
        yield from (folder / name).glob("*/**/*")


def schema_text(path: Path) -> str:
    """Return the text of a schema.

    Raises:
        NotFoundError: it does not exist.
        BadInputError: it is not text.
    """
    if not path.is_file():
        raise NotFoundError(message("schema `{path}` does not exist", path=path))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(message("schema `{path}` is not UTF-8 text", path=path)) from error


def schema_beside(folder: Path, given: Path | None) -> SchemaView | None:
    """Return the schema that a bundle must cover: the one given, else the one beside the bundle, else none.

    Raises:
        NotFoundError: the schema given does not exist.
        PolicyError: it is not SDL.
    """
    beside = folder / SCHEMA_FILE
    if given is None and not beside.is_file():
        return None
    return SchemaView.parse(schema_text(given or beside))


def check_folder(folder: Path, schema: Path | None) -> CheckedFolder:
    """Read a bundle and run every check on it."""
    reading = read_bundle(read_files(folder))
    if reading.bundle is None:
        return CheckedFolder(folder, None, reading.findings)
    view = schema_beside(folder, schema)
    found = check(Subject(reading.bundle, view))
    coverage = None if view is None else Coverage.of(reading.bundle, view)
    return CheckedFolder(folder, reading.bundle, tuple(sorted({*reading.findings, *found})), coverage)
