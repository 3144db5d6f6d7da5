"""What a policy discloses at most: per category of data, the forms that anybody may receive, and for which purposes.

So an officer sees whether masks have a floor and purposes stay apart (policy section 8). She makes a promise of it by
an invariant: `never: {fields: {category: income}, form: clear, when: 'true'}` is a floor, and
`never: {fields: {category: health}, form: any, when: 'purpose != "emergency-care"'}` keeps data to one purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from node.policy.forms import form_text
from node.policy.matrix import possible_forms

if TYPE_CHECKING:
    from node.policy.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The forms that some requester may receive of some field of a category, and the purposes that reach it."""

    category: str
    art9: bool
    forms: tuple[str, ...]
    purposes: tuple[str, ...]
    kinds: tuple[str, ...]


def most_disclosed(bundle: Bundle) -> tuple[Disclosure, ...]:
    """Return one line per category that anybody may see anything of, the most sensitive first."""
    found: dict[str, _Reach] = {}
    kinds, purposes = sorted(bundle.vocabulary.kinds), sorted(bundle.vocabulary.purposes)
    for document, kind, purpose in product(bundle.types.values(), kinds, purposes):
        for name, forms in possible_forms(bundle, document, kind, purpose).items():
            if forms:
                reach = found.setdefault(document.fields[name].category.name, _Reach())
                reach.forms.update(map(form_text, forms))
                reach.purposes.add(purpose)
                reach.kinds.add(kind)
    categories = bundle.vocabulary.categories
    return tuple(
        Disclosure(
            name,
            categories[name].art9,
            tuple(sorted(found[name].forms)),
            tuple(sorted(found[name].purposes)),
            tuple(sorted(found[name].kinds)),
        )
        for name in sorted(found, key=lambda name: (-categories[name].sensitivity, name))
    )


@dataclass(slots=True)
class _Reach:
    """What is gathered about one category."""

    forms: set[str] = field(default_factory=set)
    purposes: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
