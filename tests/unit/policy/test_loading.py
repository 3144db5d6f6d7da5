"""What a node refuses to load."""

from __future__ import annotations

import pytest

from node.policy.errors import BundleError
from node.policy.loading import load_checked_bundle
from node.policy.schema_view import SchemaView
from tests.support.policies import EXAMPLE, document, example, files_of, folder_files, grant


def test_a_bundle_with_warnings_only_is_loaded() -> None:
    assert load_checked_bundle(folder_files(EXAMPLE)).digest == example().digest


def test_r10_incomparable_forms_keep_a_bundle_from_being_loaded() -> None:
    grants = [grant("a", {"name": {"redact": "x"}}), grant("b", {"name": {"redact": "y"}})]
    with pytest.raises(BundleError, match="cannot be compared"):
        load_checked_bundle(files_of(document(grants)))


def test_r37_a_bundle_that_does_not_fit_the_schema_is_not_loaded() -> None:
    schema = SchemaView.parse("type Citizen { taxCode: String added: Int }")
    with pytest.raises(BundleError, match=r"field `Citizen\.added` of the schema has no category"):
        load_checked_bundle(folder_files(EXAMPLE), schema)
