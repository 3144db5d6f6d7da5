"""What a subscriber may ask about changes: the GraphQL types, as nodes and gateway serve them.

A signal says that something changed and never what: the consumer's own pseudonym of the citizen, the type, whether it
was created or updated, and the names of those changed fields that the consumer may read (docs/adr/0028).
"""

from __future__ import annotations

from typing import Final

ROOT: Final = "changes"
MOST: Final = 100
"""Signals in one answer."""
OLDEST: Final = "oldest"
"""In place of a cursor: before the oldest change that is kept, whatever went before. No sealed cursor is so short."""

SDL: Final = f'''
type Query {{
  """
  What changed at one member since the signals that were taken in, oldest first; to ask after a cursor is to say so.
  it: Che cosa è cambiato presso un ente dopo i segnali già acquisiti, dal più vecchio.
  """
  {ROOT}(
    "Whose register. it: Il registro di quale ente."
    member: ID!
    """
    The last cursor that was taken in; the remembered one if left out; `{OLDEST}` for all that is kept.
    it: L'ultimo cursore acquisito; quello ricordato se omesso; `{OLDEST}` per tutto ciò che è conservato.
    """
    after: String
    "At most this many signals. it: Al massimo questo numero di segnali."
    first: Int = {MOST}
  ): Changes
}}

"""
Signals of change, at least once and in order.
it: Segnali di cambiamento, almeno una volta e in ordine.
"""
type Changes {{
  "The signals. it: I segnali."
  signals: [Change!]!
  "After which to ask next. it: Dopo quale chiedere la volta seguente."
  cursor: String!
  "Whether to ask again at once. it: Se chiedere subito di nuovo."
  more: Boolean!
}}

"""
A signal: something of a citizen changed, not what it is now.
it: Un segnale: qualcosa di un cittadino è cambiato, non che cos'è ora.
"""
type Change {{
  "The same whenever the same change is told again. it: Lo stesso ogni volta che lo stesso cambiamento è ripetuto."
  id: ID!
  "The asking administration's own pseudonym. it: Lo pseudonimo del cittadino presso l'ente che chiede."
  citizen: ID
  "`created` or `updated`. it: `created` (creato) o `updated` (aggiornato)."
  kind: String!
  "Of which type. it: Di quale tipo."
  type: String!
  "Names of changed fields that the asking administration may read. it: I nomi dei campi cambiati e leggibili."
  fields: [String!]!
}}
'''

TYPES: Final = frozenset({"Changes", "Change"})
"""The types that `SDL` declares beside its root: an agreement opens them by the root, policies decide each signal."""
