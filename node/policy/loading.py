"""What a node loads: a bundle that can be read and passes every check (policy section 5, step 1; R37)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.policy.bundle import Bundle, load_bundle
from node.policy.checks.rule import Subject
from node.policy.checks.specified import check
from node.policy.errors import BundleError
from node.policy.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from node.policy.schema_view import SchemaView


def load_checked_bundle(files: Mapping[str, bytes], schema: SchemaView | None = None) -> Bundle:
    """Read a bundle and refuse it if any check finds an error; warnings are the officer's matter.

    Args:
        files: content by path relative to the bundle's folder.
        schema: the node's own schema, which the bundle must cover; None skips the checks that need it.

    Raises:
        BundleError: with every finding. Whoever holds a bundle in force keeps that one.
    """
    bundle = load_bundle(files)
    findings = check(Subject(bundle, schema))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise BundleError(findings)
    return bundle
