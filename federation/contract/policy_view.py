"""What a consumer may ask about the rules that decide for it: the GraphQL types, as nodes and gateway serve them.

Nothing here is about a citizen: the answers depend on who asks, for which purpose, on which day and under which
agreement, and on nothing else (policy R39).
"""

from __future__ import annotations

from typing import Final

MY_FIELDS: Final = "myFields"
WHY_DENIED: Final = "whyDenied"
ROOTS: Final = frozenset({MY_FIELDS, WHY_DENIED})

SDL: Final = '''
type Query {
  """
  What the asking administration may see for this purpose, field by field, and by which rules.
  it: Che cosa l'ente può vedere per questa finalità, campo per campo, e in base a quali regole.
  """
  myFields("Only of this type. it: Solo di questo tipo." type: String): MyFields
  """
  Why a field is denied to the asking administration for this purpose, and what is missing.
  it: Perché un campo è negato all'ente per questa finalità, e che cosa manca.
  """
  whyDenied("Such as `Type.field`. it: Per esempio `Type.field`." coordinate: String!): WhyDenied
}

"""
The fields that some rule shows the asking administration.
it: I campi che qualche regola mostra all'ente.
"""
type MyFields {
  "One entry for each member and field. it: Una voce per ogni ente e campo."
  fields: [FieldAccess!]!
  "Members that did not answer. it: Gli enti che non hanno risposto."
  gaps: [String!]!
}

"""
A field that may be seen at one member.
it: Un campo che si può vedere presso un ente.
"""
type FieldAccess {
  "Whose policy decides. it: Di chi è la politica."
  member: String!
  "The field, such as `Type.field`. it: Il campo, per esempio `Type.field`."
  coordinate: String!
  "The most disclosing form in which it may be seen. it: La forma più ampia in cui si può vedere."
  form: String!
  "Whether it depends on the citizen too; where it does not hold the value is null. it: Se dipende anche dal cittadino."
  conditional: Boolean!
  "The same in words. it: Lo stesso, a parole."
  explanation: Explanation!
  "The rules that show it, most disclosing first. it: Le regole che lo mostrano."
  grants: [FieldGrant!]!
  "Revision of the policy. it: La revisione della politica."
  policyRevision: Int!
  "Digest of the policy. it: L'impronta della politica."
  policyDigest: String!
}

"""
A rule that shows a field to the asking administration.
it: Una regola che mostra un campo all'ente.
"""
type FieldGrant {
  "Its name in the policy. it: Il suo nome nella politica."
  id: String!
  "The form. it: La forma."
  form: String!
  "The law. it: La norma."
  law: String!
  "The legal bases that it shares with the agreement. it: Le basi giuridiche in comune con l'accordo."
  basis: [String!]!
  "The purpose of the consent that each citizen must have given. it: La finalità del consenso richiesto."
  consent: String
  "After how long the value must be erased (ISO 8601). it: Dopo quanto il valore va cancellato."
  retain: String!
  "Last day of the rule. it: L'ultimo giorno della regola."
  validUntil: String!
}

"""
What the members say about one field.
it: Che cosa dicono gli enti di un campo.
"""
type WhyDenied {
  "One for each member that has the field. it: Uno per ogni ente che ha il campo."
  verdicts: [FieldVerdict!]!
  "Members that did not answer. it: Gli enti che non hanno risposto."
  gaps: [String!]!
}

"""
How one member decides a field for the asking administration.
it: Come un ente decide un campo per chi interroga.
"""
type FieldVerdict {
  "Whose policy decides. it: Di chi è la politica."
  member: String!
  "The field. it: Il campo."
  coordinate: String!
  "The code with which it is denied; null if it is not. it: Il codice del diniego; null se non è negato."
  code: String
  "What is missing. it: Che cosa manca."
  missing: [Missing!]!
  "The same in words. it: Lo stesso, a parole."
  explanation: Explanation!
  "Whom to ask. it: A chi rivolgersi."
  contact: String!
  "Revision of the policy. it: La revisione della politica."
  policyRevision: Int!
  "Digest of the policy. it: L'impronta della politica."
  policyDigest: String!
}

"""
A clause that does not hold.
it: Una clausola che non vale.
"""
type Missing {
  "Its name in the policy language. it: Il suo nome nel linguaggio delle politiche."
  clause: String!
  "What would do: any one of these. it: Che cosa basterebbe: uno qualsiasi di questi."
  needed: [String!]!
  "The same in words. it: Lo stesso, a parole."
  explanation: Explanation!
}

"""
A sentence in two languages.
it: Una frase in due lingue.
"""
type Explanation {
  "English. it: In inglese."
  en: String!
  "Italian. it: In italiano."
  it: String!
}
'''

TYPES: Final = frozenset(
    {"MyFields", "FieldAccess", "FieldGrant", "WhyDenied", "FieldVerdict", "Missing", "Explanation"}
)
"""The types that `SDL` declares beside its roots."""
