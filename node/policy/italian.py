"""What is said to officers, in Italian: by the English sentence in the code, gaps included.

Words of the language itself (keys, forms, codes, names) stay as they are written in documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_READING: Final[Mapping[str, str]] = {
    "; did you mean `{nearest}`?": "; forse `{nearest}`?",
    "; known: {known}": "; ammessi: {known}",
    "not valid YAML: {problem}": "YAML non valido: {problem}",
    "not readable": "illeggibile",
    "a key without `:` after it, or a value on a line of its own that is indented less than it should be": (
        "una chiave senza `:`, o un valore su una riga a sé con meno rientro del dovuto"
    ),
    "a `:` where no key can be; quote a text that contains one": (
        "un `:` dove non può esserci una chiave; mettere tra virgolette un testo che lo contiene"
    ),
    "a key that is indented otherwise than those beside it": "una chiave con un rientro diverso da quelle accanto",
    "an entry that is indented otherwise than those beside it, or lacks its `-`": (
        "una voce con un rientro diverso da quelle accanto, o senza il suo `-`"
    ),
    "a `-` where no list can begin": "un `-` dove non può cominciare un elenco",
    "a list that lacks a `,` or its closing `]`": "un elenco a cui manca una `,` o la `]` finale",
    "a map that lacks a `,` or its closing `}}`": "una mappa a cui manca una `,` o la `}}` finale",
    "a tab, or a character that must be quoted; indent with spaces": (
        "una tabulazione, o un carattere da mettere tra virgolette; usare spazi per i rientri"
    ),
    "a quotation mark that is never closed": "virgolette aperte e mai chiuse",
    "a backslash in double quotes; write the text in single quotes": (
        "una barra rovesciata tra virgolette doppie; scrivere il testo tra apici singoli"
    ),
    "a control character; this is no text file": "un carattere di controllo; non è un file di testo",
    "a second document; write one per file": "un secondo documento; scriverne uno per file",
    'YAML reads `{text}` as a Boolean; write `true` or `false`, or quote it: "{text}"': (
        'YAML legge `{text}` come vero o falso; scrivere `true` o `false`, o tra virgolette: "{text}"'
    ),
    'YAML reads `{text}` as a number of another base or size; quote a code: "{text}"': (
        'YAML legge `{text}` come numero in altra base o troppo grande; un codice va tra virgolette: "{text}"'
    ),
    '`{text}` is not a plain decimal number; quote it if it is text: "{text}"': (
        '`{text}` non è un semplice numero decimale; se è testo va tra virgolette: "{text}"'
    ),
    "day `{text}` does not exist in the calendar": "il giorno `{text}` non esiste nel calendario",
    "file is larger than {most_bytes} bytes": "il file supera {most_bytes} byte",
    "file is empty": "il file è vuoto",
    "alias `*{anchor}` is refused; write the value again": "il rimando `*{anchor}` non è ammesso; riscrivere il valore",
    "anchor `&{anchor}` is refused; remove it": "l'ancora `&{anchor}` non è ammessa; toglierla",
    "tag `{tag}` is refused; remove it": "il tipo esplicito `{tag}` non è ammesso; toglierlo",
    "expected text as a key": "una chiave deve essere testo",
    "key `{key}` is there twice; the first is in {first}": "la chiave `{key}` c'è due volte; la prima è in {first}",
    "there is more; mend the first {number} and check again": (
        "c'è altro; correggere i primi {number} e controllare ancora"
    ),
    "expected UTF-8; save the file in that encoding": "il file non è UTF-8; salvarlo in quella codifica",
    "expected at most {most_depth} levels of nesting": "al massimo {most_depth} livelli, uno dentro l'altro",
}

_SHAPE: Final[Mapping[str, str]] = {
    "text": "un testo",
    "a whole number": "un numero intero",
    "a number": "un numero",
    "`true` or `false`": "`true` o `false`",
    "a list": "un elenco",
    "a map": "una mappa",
    "an id of lower-case letters, digits and `-`": "un nome di lettere minuscole, cifre e `-`",
    "a GraphQL name": "un nome GraphQL",
    "an ISO 8601 duration such as `P180D` or `P5Y`": "una durata ISO 8601 come `P180D` o `P5Y`",
    "a legal basis such as `6.1.e`": "una base giuridica come `6.1.e`",
    "a day such as `2026-01-01`": "un giorno come `2026-01-01`",
    "a day such as `2026-01-01` or an instant such as `2026-01-01T00:00:00+01:00`": (
        "un giorno come `2026-01-01` o un istante come `2026-01-01T00:00:00+01:00`"
    ),
    "the document": "tutto il documento",
    "{first} or {second}": "{first} o {second}",
    "nothing": "niente",
    "key `{key}` is unknown in {where}{nearest}": "chiave `{key}` sconosciuta, in {where}{nearest}",
    "key `{key}` is missing in {where}": "manca la chiave `{key}`, in {where}",
    "expected {expected}, got {shown} in {where}": "atteso {expected}, trovato {shown}, in {where}",
    "expected one of {known}, got {shown} in {where}{nearest}": (
        "atteso uno tra {known}, trovato {shown}, in {where}{nearest}"
    ),
    "expected `{expected}`, got {shown} in {where}": "atteso `{expected}`, trovato {shown}, in {where}",
    "expected at least {limit} characters, got {shown} in {where}": (
        "almeno {limit} caratteri, trovato {shown}, in {where}"
    ),
    "expected at least one entry in {where}": "attesa almeno una voce, in {where}",
    "expected at least {limit} entries in {where}": "voci attese: almeno {limit}, in {where}",
    "expected only one entry in {where}": "attesa una sola voce, in {where}",
    "expected every entry once in {where}": "ogni voce una volta sola, in {where}",
    "expected {limit} or more, got {shown} in {where}": "atteso {limit} o più, trovato {shown}, in {where}",
    "expected more than {limit}, got {shown} in {where}": "atteso più di {limit}, trovato {shown}, in {where}",
}

_NAMES: Final[Mapping[str, str]] = {
    "kind": "tipo di ente",
    "purpose": "finalità",
    "legal basis": "base giuridica",
    "legal basis of art. 6": "base giuridica dell'art. 6",
    "legal basis of art. 9": "base giuridica dell'art. 9",
    "field": "campo",
    "category": "categoria",
    "grant": "concessione",
    "prohibition": "divieto",
    "combination": "combinazione",
    "invariant": "invariante",
    "requester": "richiedente",
    "row": "riga",
    "row attribute": "attributo di riga",
    "form": "forma",
    "{what} `{name}` is not declared{nearest}": "nome non dichiarato ({what}): `{name}`{nearest}",
    "{what} `{name}` is there twice; the first is in {first}": (
        "nome usato due volte ({what}): `{name}`; il primo è in {first}"
    ),
    "{what} `{name}` is not in the vocabulary{nearest}": ("nome che il vocabolario non ha ({what}): `{name}`{nearest}"),
    "purpose `{name}` is not in the vocabulary{nearest}": "la finalità `{name}` non è nel vocabolario{nearest}",
    "purposes form a circle: {circle}": "finalità che discendono l'una dall'altra in cerchio: {circle}",
    "row attribute `{name}` is not declared{nearest}": "l'attributo di riga `{name}` non è dichiarato{nearest}",
    "row attribute `{name}` has type `{type}`, got `{written}`": (
        "l'attributo di riga `{name}` è di tipo `{type}`, trovato `{written}`"
    ),
    "`{text}` is neither a day nor an instant with a zone": "`{text}` non è né un giorno né un istante con fuso",
    "type `{name}` has no readable policy in this bundle{nearest}": (
        "il tipo `{name}` non ha una politica leggibile in questo pacchetto{nearest}"
    ),
}

_BUNDLES: Final[Mapping[str, str]] = {
    "a bundle has at least one policy: expected `types/<Type>.yaml`": (
        "un pacchetto ha almeno una politica: atteso `types/<Tipo>.yaml`"
    ),
    "file has no effect here: expected {expected}; rename or remove it": (
        "il file qui non avrebbe effetto: atteso {expected}; rinominarlo o toglierlo"
    ),
    "vocabulary is missing, here and in the parent folder": "manca il vocabolario, qui e nella cartella superiore",
    "file is named after its type: expected `policy: {name}`, got `{written}`": (
        "il file ha il nome del suo tipo: atteso `policy: {name}`, trovato `{written}`"
    ),
    "`from` {first_day} is after `until` {last_day}: the grant is never valid": (
        "`from` {first_day} viene dopo `until` {last_day}: la concessione non vale mai"
    ),
    "`{name}` is the number of persons alike (`generalise_k`): give the attribute another name": (
        "`{name}` è il numero di persone che appaiono uguali (`generalise_k`): dare all'attributo un altro nome"
    ),
    "grant `{grant}` says `generalise_k`, but {problem}": "la concessione `{grant}` dice `generalise_k`, ma {problem}",
    "`{type}` has no key in the schema: protect the type that leads to it": (
        "`{type}` non ha una chiave nello schema: proteggere il tipo che porta a lui"
    ),
    "does not show `{name}`: leave it out of `quasi_identifiers`": (
        "non mostra `{name}`: toglierlo da `quasi_identifiers`"
    ),
    "as `{form}` nobody's `{name}` is like another's: choose a coarser form, or leave it out": (
        "come `{form}` nessuno ha lo stesso `{name}` di un altro: scegliere una forma più larga, o toglierlo"
    ),
    "`{name}` is no single value: leave it out of `quasi_identifiers`": (
        "`{name}` non è un solo valore: toglierlo da `quasi_identifiers`"
    ),
    "`declassified` needs `computed_from`: it lifts the limit by the fields that this one is computed from": (
        "`declassified` vuole `computed_from`: toglie il limite dato dai campi da cui questo è calcolato"
    ),
    "a prohibition names `fields`, unless it says `hide: row`": (
        "un divieto elenca `fields`, salvo che dica `hide: row`"
    ),
    "grant `{grant}` counts over {fields} with `min_cell: {min_cell}`; special categories need {least}": (
        "la concessione `{grant}` conta per {fields} con `min_cell: {min_cell}`; i dati particolari vogliono {least}"
    ),
    "grant `{grant}` shows {fields}, which `{combination}` never gives together; whoever asks for the last of them "
    "is refused: leave one out of the grant": (
        "la concessione `{grant}` mostra {fields}, che `{combination}` non dà mai insieme; chi chiede l'ultimo è "
        "respinto: toglierne uno dalla concessione"
    ),
    "grant `{grant}` shows `{name}: {shown}`, which is computed from {inputs}; show no more than its inputs, or say "
    "`declassified: {{law: …}}` at the field": (
        "la concessione `{grant}` mostra `{name}: {shown}`, calcolato da {inputs}; mostrarne non più di quelli, o "
        "scrivere `declassified: {{law: …}}` al campo"
    ),
    "prohibition `{rule}` denies `{taken}` but not `{name}`, which is computed from it; name both, or say "
    "`declassified: {{law: …}}` at the field": (
        "il divieto `{rule}` nega `{taken}` ma non `{name}`, che ne è calcolato; elencarli entrambi, o scrivere "
        "`declassified: {{law: …}}` al campo"
    ),
    "field `{name}.{field}` is non-null in the schema: a denial would null its parent": (
        "il campo `{name}.{field}` nello schema non può essere vuoto: negarlo vuoterebbe l'oggetto che lo contiene"
    ),
    "grants `{grant}` and `{other}` may both apply and give `{name}` forms that cannot be compared: `{form}` and "
    "`{other_form}`; choose one form, or rows that exclude each other": (
        "le concessioni `{grant}` e `{other}` possono valere insieme e danno a `{name}` forme non confrontabili: "
        "`{form}` e `{other_form}`; scegliere una forma, o righe che si escludono"
    ),
    "form `{form}` of `{name}.{field}` in grant `{grant}` {problem}": (
        "la forma `{form}` di `{name}.{field}` nella concessione `{grant}` {problem}"
    ),
    "does not fit an object: `{type}` has a policy of its own; write `clear`": (
        "non si adatta a un oggetto: `{type}` ha una politica sua; scrivere `clear`"
    ),
    "does not fit a list: a list is shown clear or not at all": (
        "non si adatta a un elenco: un elenco si mostra in chiaro o per niente"
    ),
    "does not fit its type `{type}`; it fits {fitting}": "non si adatta al tipo `{type}`; si adatta a {fitting}",
    "prohibition `{rule}` nulls fields where {attributes} says so: whoever sees the rest of the row may guess why; "
    "consider `hide: row`": (
        "il divieto `{rule}` vuota campi dove lo dice {attributes}: chi vede il resto della riga può intuire perché; "
        "valutare `hide: row`"
    ),
    "type `{name}` of the schema has no policy: write `types/{name}.yaml`": (
        "il tipo `{name}` dello schema non ha una politica: scrivere `types/{name}.yaml`"
    ),
    "type `{name}` is not in the schema{nearest}": "il tipo `{name}` non è nello schema{nearest}",
    "field `{name}.{field}` of the schema has no category here: it is denied to everybody": (
        "il campo `{name}.{field}` dello schema qui non ha una categoria: è negato a tutti"
    ),
    "field `{name}.{field}` is not in the schema{nearest}": "il campo `{name}.{field}` non è nello schema{nearest}",
    "grant `{grant}` has no `basis9`, so it never shows {fields} (GDPR art. 9)": (
        "la concessione `{grant}` non ha `basis9`, quindi non mostra mai {fields} (art. 9 GDPR)"
    ),
    "schema is not valid SDL at line {line}: {problem}": "lo schema non è SDL valido, alla riga {line}: {problem}",
}

_CONDITIONS: Final[Mapping[str, str]] = {
    "{problem} (at character {character})": "{problem} (al carattere {character})",
    'string has no closing `"`, or holds a backslash; there are no escapes': (
        'un testo senza `"` finale, o con una barra rovesciata, che qui non esiste'
    ),
    "`{character}` is not an operator; did you mean `{nearest}`?": (
        "`{character}` non è un operatore; forse `{nearest}`?"
    ),
    "strings are written in double quotes": "i testi si scrivono tra virgolette doppie",
    "negative numbers and subtraction do not exist in conditions": (
        "nelle condizioni non esistono numeri negativi né sottrazioni"
    ),
    "character `{character}` has no meaning in a condition": (
        "il carattere `{character}` non ha senso in una condizione"
    ),
    "the end of the condition": "la fine della condizione",
    "expected at most {most_length} characters in a condition": "al massimo {most_length} caratteri in una condizione",
    "expected at most {most_depth} nested parentheses and negations": (
        "al massimo {most_depth} parentesi e negazioni una dentro l'altra"
    ),
    "expected a condition of type `bool`, got `{type}`; compare it with something": (
        "attesa una condizione di tipo `bool`, trovato `{type}`; confrontarlo con qualcosa"
    ),
    "after `!`": "dopo `!`",
    "beside `{symbol}`": "accanto a `{symbol}`",
    "expected a condition {where}, got `{type}`": "attesa una condizione {where}, trovato `{type}`",
    "expected a condition after `!`, got `{text}`": "attesa una condizione dopo `!`, trovato `{text}`",
    "expected a value, a name or `(`, got {token}": "atteso un valore, un nome o `(`, trovato {token}",
    "expected `&&`, `||` or the end, got {token}": "atteso `&&`, `||` o la fine, trovato {token}",
    "expected `{symbol}`, got {token}": "atteso `{symbol}`, trovato {token}",
    "`!` binds tighter than `{text}`; write `!(…)` around the comparison": (
        "`!` lega più stretto di `{text}`; scrivere `!(…)` attorno al confronto"
    ),
    "comparisons do not chain; join two of them with `&&`": "i confronti non si incatenano; unirne due con `&&`",
    "integer is above {int_max}, the largest of 64 bits": "il numero supera {int_max}, il massimo in 64 bit",
    "`{text}` needs two sets, got `{type}`": "`{text}` vuole due insiemi, trovato `{type}`",
    "`{text}` needs sets of one type: expected `{expected}`, got `{type}`": (
        "`{text}` vuole insiemi dello stesso tipo: atteso `{expected}`, trovato `{type}`"
    ),
    "name `{name}` is not declared{nearest}": "il nome `{name}` non è dichiarato{nearest}",
    "`{literal}` is not a value of `{name}`{nearest}": "`{literal}` non è un valore di `{name}`{nearest}",
    "`{comparison}` needs one type on both sides: `{left_type}` and `{right_type}` differ": (
        "`{comparison}` vuole lo stesso tipo da entrambi i lati: `{left_type}` e `{right_type}` sono diversi"
    ),
    "`{comparison}` orders `int` and `str`, not `bool`": "`{comparison}` ordina `int` e `str`, non `bool`",
    "sets have no `{comparison}`; use `any` or `none`": (
        "per gli insiemi `{comparison}` non esiste; usare `any` o `none`"
    ),
    "`in` needs a set on its right, got `{right_type}`": "`in` vuole un insieme a destra, trovato `{right_type}`",
    "`in` needs `{element}` on its left, got `{type}`": "`in` vuole `{element}` a sinistra, trovato `{type}`",
    "a list holds only literals: integers, strings, `true`, `false`": (
        "un elenco contiene solo valori scritti: numeri interi, testi, `true`, `false`"
    ),
    "a list holds one type: expected `{expected}`, got `{type}`": (
        "un elenco è di un solo tipo: atteso `{expected}`, trovato `{type}`"
    ),
}

_FORMS: Final[Mapping[str, str]] = {
    "form `{name}` does not exist{nearest}": "la forma `{name}` non esiste{nearest}",
    "expected a form such as `clear`, or one with arguments such as `{{band: [0, 10000]}}`": (
        "attesa una forma come `clear`, o una con argomenti come `{{band: [0, 10000]}}`"
    ),
    "`deny` is never written: leave the field out of `see`": "`deny` non si scrive: non elencare il campo sotto `see`",
    "`noise` is written under `aggregates`, not under `see`": "`noise` si scrive sotto `aggregates`, non sotto `see`",
    "`{name}` takes no arguments": "`{name}` non ha argomenti",
    "`age_over` needs a list of 1 to {most} thresholds: `{{age_over: [14, 18]}}`": (
        "`age_over` vuole un elenco da 1 a {most} soglie: `{{age_over: [14, 18]}}`"
    ),
    "`age_over` needs whole years from 1 to {oldest}": "`age_over` vuole anni interi da 1 a {oldest}",
    "`age_over` needs increasing thresholds": "`age_over` vuole soglie crescenti",
    '`redact` needs the text to show, at most {most_length} characters: `{{redact: "riservato"}}`': (
        '`redact` vuole il testo da mostrare, al massimo {most_length} caratteri: `{{redact: "riservato"}}`'
    ),
    '`partial` needs counts and one padding character: `{{partial: {{prefix: 3, n: 8, pad: "*"}}}}`': (
        '`partial` vuole due lunghezze e un carattere di riempimento: `{{partial: {{prefix: 3, n: 8, pad: "*"}}}}`'
    ),
    "`partial` needs a `prefix` below `n`, and `n` at most {most_length}": (
        "`partial` vuole `prefix` minore di `n`, e `n` al massimo {most_length}"
    ),
    "`date_shift` needs `days` from 1 to 3650: `{{date_shift: {{days: 30}}}}`": (
        "`date_shift` vuole `days` da 1 a 3650: `{{date_shift: {{days: 30}}}}`"
    ),
    "`band` needs a list of numbers: `{{band: [0, 9360, 15000]}}`": (
        "`band` vuole un elenco di numeri: `{{band: [0, 9360, 15000]}}`"
    ),
    "`band` needs finite bounds": "`band` vuole limiti finiti",
    "`band` needs increasing bounds": "`band` vuole limiti crescenti",
    "`round` needs a whole number above 0: `{{round: 10}}`": "`round` vuole un intero maggiore di 0: `{{round: 10}}`",
    "`top_code` needs a whole number: `{{top_code: 100000}}`": "`top_code` vuole un intero: `{{top_code: 100000}}`",
    "`truncate` needs `province` or `region`: `{{truncate: province}}`": (
        "`truncate` vuole `province` o `region`: `{{truncate: province}}`"
    ),
    "`{name}` needs exactly: {names}": "`{name}` vuole esattamente: {names}",
    "`{name}` needs a name as its scope: `{{{name}: {{scope: name}}}}`": (
        "`{name}` vuole un nome come ambito: `{{{name}: {{scope: nome}}}}`"
    ),
}

_SIGNING: Final[Mapping[str, str]] = {
    "author and approver are one person, `{holder}`; two are needed": (
        "autore e approvatore sono la stessa persona, `{holder}`; ne servono due"
    ),
    "expected a revision above {revision}, which is in force, got {offered}: compare with `policy diff` and sign the "
    "bundle again with `--store`": (
        "attesa una revisione superiore alla {revision}, che è in vigore, trovata {offered}: confrontare con "
        "`policy diff` e firmare di nuovo con `--store`"
    ),
    "the bundle does not follow revision {revision}, which is in force: another officer published since it was "
    "signed; compare with `policy diff` and sign it again with that one as parent": (
        "il pacchetto non segue la revisione {revision}, che è in vigore: dopo la firma un altro incaricato ha "
        "pubblicato; confrontare con `policy diff` e firmare di nuovo con `--store`"
    ),
    "expected one signature of the {role}, got {number}": "attesa una firma nel ruolo `{role}`, trovate {number}",
    "the {role}'s key `{kid}` is not known here": "la chiave `{kid}` del ruolo `{role}` qui non è conosciuta",
    "`{holder}` may not sign as {role}": "`{holder}` non può firmare nel ruolo `{role}`",
    "revision {revision} does not descend from revision {current}, which is in force; sign it again with that one as "
    "parent": (
        "la revisione {revision} non discende dalla {current}, che è in vigore; firmarla di nuovo con `--store`"
    ),
    "file `{path}` of the manifest is missing": "manca il file `{path}`, che è stato firmato",
    "file `{path}` is not in the manifest; sign the bundle again": (
        "il file `{path}` non è tra quelli firmati; firmare di nuovo il pacchetto"
    ),
    "file `{path}` is not the one that was signed; sign the bundle again": (
        "il file `{path}` non è quello firmato; firmare di nuovo il pacchetto"
    ),
    "expected a revision of 1 or more, got {revision}": "attesa una revisione da 1 in su, trovata {revision}",
    "the {role}'s signature is not base64url": "la firma nel ruolo `{role}` non è base64url",
    "the {role}'s signature does not verify": "la firma nel ruolo `{role}` non è autentica",
    "officers file is not a list of holder, roles and jwk: {error}": (
        "il file degli incaricati non è un elenco di holder, roles e jwk: {error}"
    ),
    "`{file}` is not a signed manifest: {error}": "`{file}` non è un pacchetto firmato: {error}",
    "key file `{path}` does not exist; `crocevia policy officer` makes one": (
        "il file della chiave `{path}` non esiste; lo crea `crocevia policy officer`"
    ),
    "key file `{path}` cannot be used: {problem}": "il file della chiave `{path}` non si può usare: {problem}",
    "this key signed as {role} already; another officer approves, with a key of that officer's own": (
        "questa chiave ha già firmato nel ruolo `{role}`; approva un altro incaricato, con una chiave sua"
    ),
    "`{path}` does not exist; sign the bundle first": "`{path}` non esiste; prima firmare il pacchetto",
    "officers file `{path}` does not exist": "il file degli incaricati `{path}` non esiste",
    "revision {number} is not in `{root}`": "la revisione {number} non è in `{root}`",
    "the key of officer `{holder}` is not a public Ed25519 JWK: {error}": (
        "la chiave dell'incaricato `{holder}` non è una JWK Ed25519 pubblica: {error}"
    ),
}

_OUTSIDE: Final[Mapping[str, str]] = {
    "expected a JSON-LD document with ODRL agreements": "atteso un documento JSON-LD con accordi ODRL",
    "the document holds no ODRL agreement": "il documento non contiene accordi ODRL",
    "agreement {number}": "accordo {number}",
    "{where} has no legal basis of the vocabulary": "{where}: nessuna base giuridica del vocabolario",
    "{where} has a permission without a field as its target": "{where}: un permesso che non indica un campo",
    "{where} has a permission without purpose and dates": "{where}: un permesso senza finalità e date",
    "{where}: `{name}` is not in the vocabulary{nearest}": "{where}: `{name}` non è nel vocabolario{nearest}",
    "legal basis `{missing}` of the form is not in the vocabulary{nearest}": (
        "la base giuridica `{missing}` del modulo non è nel vocabolario{nearest}"
    ),
    "expected a PDND risk analysis: a map with `version` and `answers`": (
        "attesa un'analisi del rischio PDND: una mappa con `version` e `answers`"
    ),
    "form `{version}` cannot be read; expected version {names} of the PA form": (
        "il modulo `{version}` non si può leggere; attesa la versione {names} di quello per le PA"
    ),
    "expected `answers` as a map from questions to lists of texts": (
        "`answers` deve essere una mappa da domande a elenchi di testi"
    ),
    "answer `{key}` is missing; it bounds the grant": "manca la risposta `{key}`, che limita la concessione",
    "answer `{key}` has {number} values; expected one": "la risposta `{key}` ha {number} valori; atteso uno",
    "`legalBasisPublicInterest` PUBLIC_INTEREST_TASK is not offered with GDPR_ART_9 data": (
        "`legalBasisPublicInterest` PUBLIC_INTEREST_TASK non è ammesso con dati GDPR_ART_9"
    ),
    "answer `{key}` is not a list of texts": "la risposta `{key}` non è un elenco di testi",
    "answer `{key}` is `{value}`, which the form does not have{nearest}": (
        "la risposta `{key}` è `{value}`, che il modulo non ha{nearest}"
    ),
    "this policy has no translation: {error}": "questa politica non ha traduzione: {error}",
    "consumer `{consumer}` of the log is not among the consumers given": (
        "il richiedente `{consumer}` del registro non è tra quelli indicati"
    ),
    "line {number} of the log is not a journal entry: {error}": (
        "la riga {number} del registro non è una registrazione: {error}"
    ),
    "`{path}` does not say kind and area of each consumer: {error}": (
        "`{path}` non dice tipo e territorio di ogni richiedente: {error}"
    ),
    "more than {most_bases} legal bases for one kind and purpose": (
        "più di {most_bases} basi giuridiche per un tipo di ente e una finalità"
    ),
    "`{name}` is compared with more than {most} values": "`{name}` è confrontato con più di {most} valori",
    "`{text}` is not a day of the calendar": "`{text}` non è un giorno del calendario",
}

_ASKING: Final[Mapping[str, str]] = {
    "file `{path}` does not exist": "il file `{path}` non esiste",
    "`{file}` is not JSON: {error}": "`{file}` non è JSON: {error}",
    "folder `{root}` does not exist; name a bundle's folder with `--policies`": (
        "la cartella `{root}` non esiste; indicare un pacchetto con `--policies`"
    ),
    "folder `{root}` holds no policies: expected `{expected}`": (
        "la cartella `{root}` non contiene politiche: attesa `{expected}`"
    ),
    "schema `{path}` is not UTF-8 text": "lo schema `{path}` non è testo UTF-8",
    "`{path}` cannot be read or written: {problem}": "`{path}` non si può leggere o scrivere: {problem}",
    "schema `{path}` does not exist": "lo schema `{path}` non esiste",
    "`{path}` exists already; name a new folder": "`{path}` esiste già; indicare una cartella nuova",
    "`{policies}` holds several bundles; name one of them with `--policies`": (
        "`{policies}` contiene più pacchetti; indicarne uno con `--policies`"
    ),
    "`{name}` is not governed here{nearest}": "`{name}` qui non ha una politica{nearest}",
    "type `{name}` has no policy here{nearest}": "il tipo `{name}` qui non ha una politica{nearest}",
    "field `{name}` is not governed by `{type}`{nearest}": "il campo `{name}` non ha una politica in `{type}`{nearest}",
    '`--row` is not JSON; expected a map such as `{{"age": 12}}`': (
        '`--row` non è JSON; attesa una mappa come `{{"age": 12}}`'
    ),
    '`--row` is not a map; expected something such as `{{"age": 12}}`': (
        '`--row` non è una mappa; atteso qualcosa come `{{"age": 12}}`'
    ),
    "`{text}` is not a day; expected something such as `2026-11-22`": (
        "`{text}` non è un giorno; atteso qualcosa come `2026-11-22`"
    ),
    "a spreadsheet is written to a file; name it with `--out`": (
        "un foglio di calcolo si scrive in un file; indicarlo con `--out`"
    ),
    "a risk analysis does not say who asks and for what: add `--as KIND --for PURPOSE`": (
        "un'analisi del rischio non dice chi chiede e per che cosa: aggiungere `--as ENTE --for FINALITÀ`"
    ),
    "choose one of `--odrl`, `--cedar`, `--pdnd`, `--json`": (
        "scegliere uno tra `--odrl`, `--cedar`, `--pdnd`, `--json`"
    ),
    "say what the file is: `--odrl` or `--pdnd`": "dire che cos'è il file: `--odrl` o `--pdnd`",
}

_SAYING: Final[Mapping[str, str]] = {
    "error": "errore",
    "warning": "avviso",
    "{folder}: {governed} of {served} served fields have a policy ({percent} %)": (
        "{folder}: {governed} campi serviti su {served} hanno una politica ({percent} %)"
    ),
    "{folder}: errors: {errors}; the bundle cannot be used": (
        "{folder}: errori: {errors}; il pacchetto non si può usare"
    ),
    "{folder}: no errors; types: {types}, fields: {fields}, grants: {grants}, warnings: {warnings} ({digest})": (
        "{folder}: nessun errore; tipi: {types}, campi: {fields}, concessioni: {grants}, avvisi: {warnings} ({digest})"
    ),
    "failed": "fallita",
    "{type}: {requester} for {purpose}, row {row}": "{type}: {requester} per {purpose}, riga {row}",
    "{field}: expected {expected}, decided {decided}{by}": "{field}: atteso {expected}, deciso {decided}{by}",
    " by `{rule}`": " da `{rule}`",
    "{folder}: {passed} of {cases} cases pass": "{folder}: {passed} prove superate su {cases}",
    "granted": "concesso",
    "no grant": "nessuna concessione",
    "prohibited": "vietato",
    "no grant for this row": "nessuna concessione per questa riga",
    "row hidden": "riga nascosta",
    "depends on the row": "dipende dalla riga",
    "{folder}: no schema is there: whether every field has a policy was not checked; name one with `--schema`": (
        "{folder}: non c'è uno schema: non è controllato se ogni campo ha una politica; indicarne uno con `--schema`"
    ),
    "row visible where: {condition}": "riga visibile dove: {condition}",
    "prohibition {id}: never denies this requester": "divieto {id}: non nega mai a questo richiedente",
    "prohibition {id}: denies where {condition}": "divieto {id}: nega dove {condition}",
    "grant {id}: {form}, fails on {clauses}": "concessione {id}: {form}, cade su {clauses}",
    "grant {id}: {form}, applies where {condition}": "concessione {id}: {form}, vale dove {condition}",
    "grant {id}: {form}, applies": "concessione {id}: {form}, vale",
    "* depends on the row or on a consent; what is not listed is denied": (
        "* dipende dalla riga o da un consenso; ciò che non è elencato è negato"
    ),
    "{path} says otherwise; if the change is wanted, run `matrix --write` and have it reviewed": (
        "{path} dice altro; se il cambiamento è voluto, eseguire `matrix --write` e farlo rivedere"
    ),
    "wrote {path}": "scritto {path}",
    "{path}: types: {types}; nobody sees anything yet": "{path}: tipi: {types}; per ora nessuno vede niente",
    "then: edit {path}/types, and run `crocevia policy check --policies {path}`": (
        "poi: scrivere in {path}/types, ed eseguire `crocevia policy check --policies {path}`"
    ),
    "holds": "vale",
    "broken": "violato",
    "no answer": "senza risposta",
    "is always true": "è sempre vero",
    "is never true": "non è mai vero",
    "changes nothing beside the rest": "accanto al resto non cambia nulla",
    "idle": "inutile",
    "differs": "disaccordo",
    "{type}: {invariant} ({classes} classes of situations{second})": (
        "{type}: {invariant} ({classes} classi di situazioni{second})"
    ),
    ", z3: {verdict}": ", z3: {verdict}",
    "{type}: `{rule}` changes no decision": "{type}: `{rule}` non cambia alcuna decisione",
    "{folder}: {held} of {proofs} proofs hold; {conditions} conditions in {situations} situations, {backends} against "
    "the oracle: {differences} differences": (
        "{folder}: {held} invarianti su {proofs} dimostrati; {conditions} condizioni in {situations} situazioni, "
        "{backends} contro l'oracolo: {differences} differenze"
    ),
    "what is disclosed at most": "che cosa si vede al massimo",
    "forms": "forme",
    "purposes": "finalità",
    "to whom": "a chi",
    "gains": "guadagna",
    "loses": "perde",
    "for example: {situation}": "per esempio: {situation}",
    "{gains} gains, {losses} losses": "{gains} in più, {losses} in meno",
    "killed by tests": "notati dalle prove",
    "killed by invariants": "notati dagli invarianti",
    "killed by matrix.lock": "notati da matrix.lock",
    "survived": "sfuggiti",
    "unnoticed": "non notato",
    "equivalent": "senza effetto",
    "every row": "su ogni riga",
    "for all of {purpose}": "per tutta la finalità {purpose}",
    "any legal basis": "con qualunque base giuridica",
    "any requester": "a qualunque ente",
    "no expiry": "senza scadenza",
    "no consent": "senza consenso",
    "rows alike or not": "righe uguali o no",
    "unmask {name}": "{name} senza maschera",
    "remove {name}": "{name} tolto",
    "add {name}": "{name} aggiunto",
    "drop the prohibition": "divieto tolto",
    "drop the combination": "combinazione tolta",
    "{folder}: {score} % noticed of {mutants} mutants: {counts}": (
        "{folder}: notato il {score} % di {mutants} guasti: {counts}"
    ),
    "{consumer} for {purpose}: {coordinate} {recorded} → {candidate} ({operations} operations)": (
        "{consumer} per {purpose}: {coordinate} {recorded} → {candidate} ({operations} operazioni)"
    ),
    " or ": " oppure ",
    "{decisions} decisions of {operations} operations, {shifts} would be others": (
        "{decisions} decisioni di {operations} operazioni, {shifts} sarebbero diverse"
    ),
    "{folder}: revision {revision} ({digest}…) is {state}": "{folder}: revisione {revision} ({digest}…): {state}",
    "signed by the author": "firmata dall'autore",
    "approved": "approvata",
    "signed by two officers and may come into force": "firmata da due incaricati, può entrare in vigore",
    "signed by two officers and in force": "firmata da due incaricati e in vigore",
    "in force in {store}": "in vigore in {store}",
    "copied, unsigned: sign, approve and publish it": "copiata, senza firme: firmarla, approvarla e pubblicarla",
    "{path}: `{holder}` may sign as {roles} with {key} (for that person's eyes only)": (
        "{path}: `{holder}` può firmare come {roles} con {key} (file da custodire di persona)"
    ),
}

_SENTENCES: Final[Mapping[str, str]] = {
    "An exact value of {field} may name a person, one at a time and counted.": (
        "Un valore esatto di {field} può indicare una persona, uno per volta e contato."
    ),
    "{field} is computed from {inputs} and may show more of them than is seen of them ({law}).": (
        "{field} è calcolato da {inputs} e può mostrarne più di quanto si vede di loro ({law})."
    ),
    "{field} is computed from {inputs} and shows no more of them than is seen of them.": (
        "{field} è calcolato da {inputs} e non ne mostra più di quanto si vede di loro."
    ),
    ", only where at least {persons} persons look alike in {fields}": (
        ", solo dove almeno {persons} persone appaiono uguali in {fields}"
    ),
}

_STATUS: Final[Mapping[str, str]] = {
    "decides by": "decide con",
    "published": "pubblicata",
    "member list": "lista dei membri",
    "ledger entries": "voci del registro",
    "verdict": "esito",
    "signed by two officers": "firmata da due incaricati",
    "unsigned": "senza firme",
    "none": "nessuna",
    "the node decides by the published policy": "il nodo decide con la politica pubblicata",
    "the node decides by another policy": "il nodo decide con un'altra politica",
    "the node does not answer": "il nodo non risponde",
}

_REGISTERS: Final[Mapping[str, str]] = {
    "Register of processing (GDPR art. 30)": "Registro delle attività di trattamento (art. 30 GDPR)",
    "Risk analysis, input of the impact assessment (GDPR art. 35)": (
        "Analisi del rischio, base della valutazione d'impatto (art. 35 GDPR)"
    ),
    "member": "ente",
    "(a) controller · register.yaml": "(a) titolare · register.yaml",
    "(a) contact · register.yaml, else `owner`": "(a) contatto · register.yaml, altrimenti `owner`",
    "(a) joint controllers · register.yaml": "(a) contitolari · register.yaml",
    "(a) representative · register.yaml": "(a) rappresentante · register.yaml",
    "(a) data protection officer · register.yaml": "(a) responsabile della protezione dei dati · register.yaml",
    "(b) purpose of processing · `purpose`": "(b) finalità del trattamento · `purpose`",
    "(c) categories of subjects · register.yaml": "(c) categorie di interessati · register.yaml",
    "(c) categories of data · `category`, `see`": "(c) categorie di dati · `category`, `see`",
    "(c) special categories · `art9`": "(c) categorie particolari · `art9`",
    "(d) recipients · `to`": "(d) destinatari · `to`",
    "(e) transfers to third countries · register.yaml": "(e) trasferimenti a paesi terzi · register.yaml",
    "(f) erased after · `retain`": "(f) cancellazione dopo · `retain`",
    "(g) security measures · policy, node, register.yaml": "(g) misure di sicurezza · politica, nodo, register.yaml",
    "legal bases": "basi giuridiche",
    "law": "norma",
    "laws": "norme",
    "which persons": "quali persone",
    "valid": "validità",
    "rule": "regola",
    "to be declared": "da dichiarare",
    "types of data (PDND)": "tipi di dati (PDND)",
    "delivery (PDND)": "modalità di consegna (PDND)",
    "pursuit (PDND)": "scopo perseguito (PDND)",
    "fields and forms": "campi e forme",
    "retention": "conservazione",
    "consent": "consenso",
    "prohibitions": "divieti",
    "measures of the policy": "misure della politica",
    "for the officer to declare": "da dichiarare a cura dell'incaricato",
    "yes": "sì",
    "no": "no",
    "none declared": "nessuno dichiarato",
    "citizens": "cittadini",
    "TO BE DECLARED (`{key}` in {file})": "DA DICHIARARE (`{key}` in {file})",
    "access decided per field by this policy, which two officers signed": (
        "accesso deciso campo per campo da questa politica, firmata da due incaricati"
    ),
    "requests signed by the member that asks, over mutually authenticated TLS": (
        "richieste firmate dall'ente che chiede, su TLS con autenticazione reciproca"
    ),
    "every answer recorded, without values, in a tamper-evident ledger": (
        "ogni risposta registrata, senza valori, in un registro che rivela le manomissioni"
    ),
    "forms that show less than the value: {forms}": "forme che mostrano meno del valore: {forms}",
    "only the rows that the condition names": "solo le righe che la condizione indica",
    "only with the subject's consent": "solo con il consenso dell'interessato",
    "prohibitions: {rules}": "divieti: {rules}",
    "fields never known together: {rules}": "campi mai conosciuti insieme: {rules}",
    "only rows of which {persons} or more persons look alike": "solo righe di cui almeno {persons} persone sono simili",
    "counts of groups of {least} or more": "conteggi di gruppi di almeno {least}",
    "necessity and proportionality (art. 35(7)(b))": "necessità e proporzionalità (art. 35, par. 7, lett. b)",
    "risks to the rights and freedoms of the subjects (art. 35(7)(c))": (
        "rischi per i diritti e le libertà degli interessati (art. 35, par. 7, lett. c)"
    ),
    "organisational measures beside those of the policy (art. 35(7)(d))": (
        "misure organizzative oltre a quelle della politica (art. 35, par. 7, lett. d)"
    ),
    "advice of the DPO (art. 35(2)); views of the subjects (art. 35(9))": (
        "parere del responsabile della protezione dei dati (art. 35, par. 2); opinioni degli interessati (par. 9)"
    ),
    "whether an impact assessment was carried out, and the authority consulted (art. 36)": (
        "se la valutazione d'impatto è stata svolta e il Garante consultato (art. 36)"
    ),
    "whether data is asked for on behalf of third parties": "se i dati sono chiesti per conto di terzi",
    "how many requests per day": "quante richieste al giorno",
}

_STARTING: Final[Mapping[str, str]] = {
    "   # guessed from the name: check": "   # dedotta dal nome: controllare",
    "   # nothing says what this is: choose a category": "   # nulla dice che cosa sia: scegliere una categoria",
    "attributes: {{{written}}}   # what conditions may test as row.<name>; the node's mapping fills them": (
        "attributes: {{{written}}}   # ciò che le condizioni leggono come row.<nome>; lo riempie la mappatura del nodo"
    ),
    "  {field}: {{category: {category}}}{remark}": "  {field}: {{category: {category}}}{remark}",
    "grants: []   # nobody sees anything; a first grant looks like this:": (
        "grants: []   # nessuno vede niente; una prima concessione è fatta così:"
    ),
    '#    law: "the law that allows it"': '#    law: "la norma che lo consente"',
    "tests:   # a field that is not listed under `see` is expected to be denied": (
        "tests:   # un campo non elencato sotto `see` è atteso negato"
    ),
    "# What must never happen, whatever the grants say.": (
        "# Ciò che non deve accadere mai, qualunque cosa dicano le concessioni."
    ),
}

_PICTURED: Final[Mapping[str, str]] = {
    "Who sees what": "Chi vede che cosa",
    "The rules, one by one": "Le regole, una per una",
    "in clear": "in chiaro",
    "masked": "mascherato",
    "as a pseudonym, token or hash": "come pseudonimo, token o impronta",
    "only whether the age of {years} is reached": "solo se ha raggiunto l'età di {years}",
    "only yes or no to a question": "solo sì o no a una domanda",
    "denied": "negato",
    "depends on the row or on a consent": "dipende dalla riga o da un consenso",
    "special category (GDPR art. 9)": "categoria particolare (art. 9 GDPR)",
    "Nobody sees anything of this type.": "Nessuno vede niente di questo tipo.",
}

ITALIAN: Final[Mapping[str, str]] = {
    **_READING,
    **_SHAPE,
    **_NAMES,
    **_BUNDLES,
    **_CONDITIONS,
    **_FORMS,
    **_SIGNING,
    **_OUTSIDE,
    **_ASKING,
    **_SAYING,
    **_SENTENCES,
    **_STATUS,
    **_REGISTERS,
    **_STARTING,
    **_PICTURED,
}
