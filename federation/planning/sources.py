"""Part of stage 3: the keys under which values stand in the merged tree, so that no two meanings share one.

What the client asks stands under the client's own name for it. An input shares it where it is the same field and
nothing forbids that, and has a name of ours otherwise.
"""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING

from federation.planning.operation import PRESENT, TYPENAME
from federation.planning.tree import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from federation.planning.operation import SelectionTree
    from federation.planning.tree import Entry

Place = tuple[str, ...]


class Sources:
    """The source keys in use at each place, with what they are for if they may be shared.

    `prefix` begins the names of inputs and keeps them apart from what the client asked (None: they may share keys).
    """

    def __init__(self, prefix: str | None) -> None:
        self.prefix = prefix
        self._taken: dict[Place, dict[str, tuple[str, ...] | None]] = {}

    def of_client(self, place: Place, response_name: str, tree: SelectionTree) -> str:
        """Take the key for a field of the client: its own name for it, unless that name means something else to us.

        In privacy mode a member treats what begins with the prefix as a join key. A client must not be able to write
        one: whatever it calls so travels under another name.
        """
        source = response_name
        reserved = response_name in (TYPENAME, PRESENT)
        if reserved or (self.prefix is not None and response_name.startswith(self.prefix)):
            names = {asked.response_name for asked in tree.fields}
            source = f"a{response_name}"
            while source in names:
                source = f"a{source}"
        self._at(place)[source] = None
        return source

    def of_input(self, place: Place, wanted: tuple[str, str]) -> str:
        """Take the key for an input, by its name and arguments, that nothing else at the place uses."""
        name, _ = wanted
        if name == TYPENAME:
            return name
        prefix = self.prefix or "_k_"
        plain = [name] if self.prefix is None else []
        return self._first(place, wanted, chain(plain, [f"{prefix}{name}"], (f"{prefix}{name}_{n}" for n in count(2))))

    def another(self, entry: Entry, type_name: str) -> str:
        """Take another key for an entry on one concrete type."""
        wanted = (*key_of(entry.name, entry.arguments), type_name)
        names = (found for n in count(2) if (found := f"{entry.source}_{n}") != entry.source_on(type_name))
        return self._first(entry.node.place, wanted, names)

    def _first(self, place: Place, wanted: tuple[str, ...], names: Iterable[str]) -> str:
        taken = self._at(place)
        source = next(found for found in names if taken.get(found, wanted) == wanted)
        taken[source] = wanted
        return source

    def _at(self, place: Place) -> dict[str, tuple[str, ...] | None]:
        """Return the keys in use at a place.

        Several nodes stand at one place when a field has been looked for with and without some of its options.
        """
        return self._taken.setdefault(place, {TYPENAME: None})
