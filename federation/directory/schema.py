"""The schema of the federation's own subgraph: for the gateway that serves it, and for whoever composes."""

from __future__ import annotations

from federation.contract import changes, policy_view

_TYPES = '''
type Query {
  """
  One citizen, named by the consumer's own pseudonym or, where a policy allows the look-up, by tax code.
  it: Un cittadino, indicato con lo pseudonimo dell'ente o, dove una policy lo consente, con il codice fiscale.
  """
  citizen(by: CitizenKey!): Citizen
  """
  Who looked at the data of a citizen, in every node, newest first. Where a node has more than one answer holds, the
  older ones are told to who asks again, with the position of the oldest entry that was told: then only these nodes.
  it: Chi ha visto i dati di un cittadino, in ogni nodo, dal più recente. Se un nodo ha più voci di quante ne entrano in
  una risposta, le più vecchie si chiedono di nuovo, con la posizione della più vecchia già mostrata.
  """
  accessReport(citizen: ID!, before: [EntryPosition!]): AccessReport
}

"""
How a citizen is named; exactly one field.
it: Come si indica un cittadino; un solo campo.
"""
input CitizenKey @oneOf {
  id: ID
  taxCode: TaxCode
}

"""
A position in a member's ledger.
it: Una posizione nel registro di un ente.
"""
input EntryPosition {
  member: String!
  entry: Int!
}

"""
Italian tax code (codice fiscale).
it: Codice fiscale.
"""
scalar TaxCode

"""
What the ledgers hold about a citizen.
it: Che cosa contengono i registri su un cittadino.
"""
type AccessReport {
  "The entries. it: Le registrazioni."
  accesses: [Access!]
  "Members that did not answer. it: Gli enti che non hanno risposto."
  gaps: [String!]
}

"""
One entry of a member's ledger, with the proof that it stands there.
it: Una registrazione, con la prova che sta nel registro.
"""
type Access {
  "Whose ledger. it: Il registro di quale ente."
  member: String
  "The entry as the ledger hashes it. it: La registrazione, come il registro la firma."
  leaf: String
  "The receipt, as JSON. it: La ricevuta, in JSON."
  receipt: String
  """
  What was sealed for the citizen alone.
  it: Ciò che è cifrato per il solo cittadino.
  """
  personal: String
}

type Citizen KEY {
  id: ID
}
''' + "".join(sdl.replace("type Query", "extend type Query") for sdl in (policy_view.SDL, changes.SDL))

DIRECTORY_SDL = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])\n'
    + _TYPES.replace("KEY", '@key(fields: "id", resolvable: false)')
)

DIRECTORY_TYPES = _TYPES.replace("KEY", "")
"""The same without the federation's directives."""
