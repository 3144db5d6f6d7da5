"""What `crocevia … --help` and its usage errors say, in Italian: by the English sentence of command or option.

Commands, options, their values and names of files stay as they are typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_SHARED: Final[Mapping[str, str]] = {
    "How results are written.": "Come sono scritti i risultati.",
    "`table` or `json`.": "`table` o `json`.",
    "`text` or `json`.": "`text` o `json`.",
    "`table` or `json`; a table on a terminal, JSON otherwise.": (
        "`table` o `json`; su un terminale una tabella, altrove JSON."
    ),
    "Language of the sentences; else that of LC_ALL, LC_MESSAGES or LANG; else Italian.": (
        "Lingua delle frasi; altrimenti quella di LC_ALL, LC_MESSAGES o LANG; altrimenti italiano."
    ),
    "The member that asks.": "L'ente che chiede.",
    "`member=resident,insured`: asked only about citizens whom it knows as such; repeat it.": (
        "`ente=resident,insured`: interrogato solo sui cittadini che conosce come tali; si può ripetere."
    ),
    "In which capacity the consumer must itself hold an open file on the citizen; repeat it.": (
        "Con quale qualifica il fruitore stesso deve avere un fascicolo aperto sul cittadino; si può ripetere."
    ),
    "The one purpose it asks for.": "L'unica finalità per cui chiede.",
    "The purpose, such as `benefit-assessment`.": "La finalità, per esempio `benefit-assessment`.",
    "Name of the operation, if the file holds several.": "Nome dell'operazione, se il file ne contiene più d'una.",
    "Folder of the federation's files.": "Cartella dei file della federazione.",
    "The node's settings file (TOML).": "Il file delle impostazioni del nodo (TOML).",
    "The node's settings (TOML).": "Le impostazioni del nodo (TOML).",
    "The process's settings file (TOML).": "Il file delle impostazioni del processo (TOML).",
    "The mapping, node.yaml.": "La mappatura, node.yaml.",
    "`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; else the mapping's own.": (
        "`sqlite:///FILE` o `postgresql://UTENTE@HOST/NOME`; altrimenti quella della mappatura."
    ),
    "The bundle's folder.": "La cartella del pacchetto.",
    "A legal basis of the agreement; repeat it.": "Una base giuridica dell'accordo; si può ripetere.",
    "The member's code.": "Il codice dell'ente.",
    "The officer's key file (Ed25519).": "Il file della chiave dell'incaricato (Ed25519).",
    "The party's key folder.": "La cartella delle chiavi della parte.",
}

_ASKING: Final[Mapping[str, str]] = {
    "Inter-agency data sharing with privacy enforced per field.": (
        "Scambio di dati tra enti, con la tutela della riservatezza campo per campo."
    ),
    "`--lang it` or `--lang en` may stand anywhere in a command.": (
        "`--lang it` o `--lang en` può stare in qualunque punto di un comando."
    ),
    "Ask the federation as one of its members, for one purpose.": (
        "Interrogare la federazione come uno dei suoi enti, per una sola finalità."
    ),
    "File with a GraphQL operation, - for standard input, or the id of a listed one.": (
        "File con un'operazione GraphQL, - per lo standard input, o l'identificativo di una registrata."
    ),
    "Tax code or own pseudonym of the citizen, for the variable `by`.": (
        "Codice fiscale o pseudonimo proprio del cittadino, per la variabile `by`."
    ),
    "Variables as a JSON object.": "Le variabili, come oggetto JSON.",
    "`tree` or `json`; a tree on a terminal, JSON otherwise.": (
        "`tree` o `json`; su un terminale un albero, altrove JSON."
    ),
    "Write the answer's evidence to this file, and verify it at once.": (
        "Scrivere in questo file le prove della risposta, e verificarle subito."
    ),
    "`reject`: nothing is answered if a field is denied, at any member.": (
        "`reject`: nessuna risposta se un campo è negato, da qualunque ente."
    ),
    "Show what a member may see for a purpose, by which rules, or why a field is denied to it.": (
        "Mostrare che cosa un ente può vedere per una finalità, per quali regole, o perché un campo gli è negato."
    ),
    "The one purpose it would ask for.": "L'unica finalità per cui chiederebbe.",
    "Only fields of this type, such as `Citizen`.": "Solo i campi di questo tipo, per esempio `Citizen`.",
    "Say why this field is denied, such as `Citizen.taxCode`.": (
        "Dire perché questo campo è negato, per esempio `Citizen.taxCode`."
    ),
    "Show a citizen who looked at what, when, why and by which law, in every node.": (
        "Mostrare a un cittadino chi ha guardato che cosa, quando, perché e per quale norma, in ogni nodo."
    ),
    "Tax code of the citizen who logs in at the portal.": "Codice fiscale del cittadino che accede al portale.",
    "Tax code of who acts for the citizen; it is recorded.": (
        "Codice fiscale di chi agisce per conto del cittadino; viene registrato."
    ),
    "By what right the delegate acts.": "A che titolo agisce il delegato.",
    "Take in signals of change: who and what changed, never how; each at least once, in order.": (
        "Ricevere i segnali di variazione: chi e che cosa è cambiato, mai come; ognuno almeno una volta, in ordine."
    ),
    "The member whose changes it asks for.": "L'ente di cui si chiedono le variazioni.",
    "The file that keeps how far the signals were taken in.": (
        "Il file che ricorda fin dove i segnali sono stati ricevuti."
    ),
    "Seconds between two questions, with --follow.": "Secondi tra due richieste, con --follow.",
    "Begin with the oldest that is kept, once everything was read anew.": (
        "Ricominciare dal più vecchio conservato, dopo avere riletto tutto."
    ),
    "Go on until interrupted.": "Continuare fino all'interruzione.",
    "Verify the evidence of one answer: that nodes recorded it, and that nobody altered a value on the way.": (
        "Verificare le prove di una risposta: che i nodi l'hanno registrata, e che nessuno ha alterato un "
        "valore per via."
    ),
    "Evidence that `crocevia query --evidence FILE` wrote.": "Le prove scritte da `crocevia query --evidence FILE`.",
    "Verifier key of a ledger, `name+id+base64`; verifies without any federation. Repeatable.": (
        "Chiave di verifica di un registro, `nome+id+base64`; verifica senza federazione. Si può ripetere."
    ),
    "Also write the evidence with every value removed to this file.": (
        "Scrivere in questo file anche le prove senza alcun valore."
    ),
}

_LEDGERS: Final[Mapping[str, str]] = {
    "Verify tamper-evident ledgers.": "Verificare i registri a prova di manomissione.",
    "Rebuild every ledger from its entries and trust only the keys.": (
        "Ricostruire ogni registro dalle sue voci, fidandosi soltanto delle chiavi."
    ),
    "Fetch the proof that an entry stands in a ledger, and verify it under the key on the member list.": (
        "Procurare la prova che una voce sta in un registro, e verificarla con la chiave della lista dei membri."
    ),
    "Whose ledger: a member, `gateway` or `exchange`.": "Il registro di chi: un ente, `gateway` o `exchange`.",
    "The entry's position, from 0.": "La posizione della voce, da 0.",
    "Write the receipt to this file.": "Scrivere la ricevuta in questo file.",
    "Ask every witness for the heads it cosigned, and compare them with what each ledger shows now.": (
        "Chiedere a ogni testimone le teste che ha controfirmato, e confrontarle con ciò che ogni registro mostra ora."
    ),
}

_REGISTER: Final[Mapping[str, str]] = {
    "Tell of what the member's own programs changed in the register, so that subscribers learn of it.": (
        "Comunicare che cosa i programmi dell'ente hanno cambiato nella banca dati, perché gli abbonati lo sappiano."
    ),
    "JSON objects, one a line: docs/writing.md.": "Oggetti JSON, uno per riga: docs/writing.md.",
    "Print the events of the node's outbox, one JSON object a line, in order; `--after` says what was taken in.": (
        "Stampare gli eventi in uscita del nodo, un oggetto JSON per riga, in ordine; `--after` dice fin "
        "dove si è letto."
    ),
    "The last event that was taken in.": "L'ultimo evento ricevuto.",
    "At most this many.": "Al massimo tanti.",
    "Bring rows into a register's table; interrupted, it goes on where it was. Nothing is overwritten.": (
        "Portare righe in una tabella; se interrotto, riprende da dov'era. Nulla viene sovrascritto."
    ),
    "A .csv (with a header), .ndjson or .parquet file.": "Un file .csv (con intestazione), .ndjson o .parquet.",
    "`sqlite:///FILE` or `postgresql://USER@HOST/NAME`, to be written.": (
        "`sqlite:///FILE` o `postgresql://UTENTE@HOST/NOME`, in cui scrivere."
    ),
    "The table that gets the rows.": "La tabella che riceve le righe.",
    "PostgreSQL's schema.": "Lo schema di PostgreSQL.",
    "The node's settings (TOML): what is added is told to subscribers.": (
        "Le impostazioni del nodo (TOML): ciò che si aggiunge è comunicato agli abbonati."
    ),
    "Rows left out: line and reason; else FILE.rejected.csv.": (
        "Righe tralasciate, con numero e motivo; altrimenti FILE.rejected.csv."
    ),
    "Write a published list into a file as one consumer may see it; what the policy denies is not in it.": (
        "Scrivere in un file un elenco pubblicato come un richiedente può vederlo; ciò che la politica nega non c'è."
    ),
    "A list that the mapping publishes, as `citizens`.": "Un elenco che la mappatura pubblica, come `citizens`.",
    "A .csv, .ndjson or .parquet file.": "Un file .csv, .ndjson o .parquet.",
    "The node's settings (TOML): recorded in its ledger.": (
        "Le impostazioni del nodo (TOML): l'esportazione è iscritta nel suo registro."
    ),
    "With --settings: of which consumer.": "Con --settings: l'accordo di quale richiedente.",
    "A trial: kind of the consumer, such as `national`.": "Per prova: genere del richiedente, per esempio `national`.",
    "A trial: a legal basis; repeat it.": "Per prova: una base giuridica; si può ripetere.",
    "A trial: territory of the consumer.": "Per prova: territorio del richiedente.",
    "A trial: the bundle's folder.": "Per prova: la cartella del pacchetto.",
    "Columns, `familyName,residence.municipality`; else all scalars.": (
        "Le colonne, `familyName,residence.municipality`; altrimenti tutti i valori semplici."
    ),
    "The list's filter, as JSON.": "Il filtro dell'elenco, in JSON.",
    "Replace the file if it is there.": "Sostituire il file se c'è.",
    "A node's own tables: upgrade, back up, restore.": (
        "Le tabelle proprie di un nodo: aggiornarle, salvarle, ripristinarle."
    ),
    "Bring the own tables to the version that this release needs.": (
        "Portare le tabelle proprie alla versione richiesta da questo rilascio."
    ),
    "Copy a node's state consistently while it runs: ledger, subject keys, own tables and the rest.": (
        "Copiare in modo coerente lo stato di un nodo in funzione: registro, chiavi degli interessati, "
        "tabelle e il resto."
    ),
    "A folder that does not exist yet.": "Una cartella che non esiste ancora.",
    "Put a backup in place, once every file and the whole ledger verify. The node must not run.": (
        "Rimettere al suo posto una copia, verificati ogni file e l'intero registro. Il nodo deve essere fermo."
    ),
    "A folder that `crocevia db backup` made.": "Una cartella fatta da `crocevia db backup`.",
    "Although there is a state; it is moved aside.": "Anche se uno stato c'è; viene messo da parte.",
}

_SCHEMAS: Final[Mapping[str, str]] = {
    "Compose subgraph schemas into a supergraph, or say why they do not compose.": (
        "Comporre gli schemi dei sottografi in un supergrafo, o dire perché non si compongono."
    ),
    "A JSON file `{name: {url, sdl}}`, where `sdl` names a file.": (
        "Un file JSON `{nome: {url, sdl}}`, dove `sdl` indica un file."
    ),
    "The supergraph, what clients see, or all with findings as JSON.": (
        "Il supergrafo, ciò che vedono i client, o tutto in JSON con le segnalazioni."
    ),
    "Print how an operation is planned, stage by stage.": "Stampare come un'operazione è pianificata, passo per passo.",
    "File with a GraphQL operation.": "File con un'operazione GraphQL.",
    "The supergraph's SDL.": "Il supergrafo, in SDL.",
    "Subgraphs to compose, instead of a supergraph.": "Sottografi da comporre, al posto di un supergrafo.",
    "Which stage of planning to print.": "Quale passo della pianificazione stampare.",
    "Plan as for nodes that decide by policy (join keys apart).": (
        "Pianificare come per nodi che decidono per politica (chiavi di unione a parte)."
    ),
    "The shared vocabulary and composed schemas.": "Il vocabolario comune e gli schemi composti.",
    "Say what changes for clients between two schemas: breaking, dangerous, safe. Exits with 1 if something breaks.": (
        "Dire che cosa cambia per i client tra due schemi: rottura, rischio, nessun danno. Esce con 1 se "
        "qualcosa si rompe."
    ),
    "A supergraph, or an API schema as SDL.": "Un supergrafo, o uno schema per i client in SDL.",
    "The same, as it is to be.": "Lo stesso, come dovrà essere.",
    'What clients asked for, one JSON a line: `{"operation": …}` or `{"coordinate": "Type.field"}`.': (
        'Che cosa hanno chiesto i client, un JSON per riga: `{"operation": …}` o `{"coordinate": "Type.field"}`.'
    ),
    "Compose subgraphs and compare with what is published. Exits with 1 if they do not compose or something breaks.": (
        "Comporre i sottografi e confrontare con ciò che è pubblicato. Esce con 1 se non si compongono o si "
        "rompe qualcosa."
    ),
    "A JSON file `{name: {url, sdl}}`, as for `crocevia compose`.": (
        "Un file JSON `{nome: {url, sdl}}`, come per `crocevia compose`."
    ),
    "The published supergraph or API schema, to compare with what is composed.": (
        "Il supergrafo pubblicato, o lo schema per i client, da confrontare con quello composto."
    ),
    "Print the shared vocabulary as GraphQL SDL.": "Stampare il vocabolario comune in SDL di GraphQL.",
}

_DEMO: Final[Mapping[str, str]] = {
    "Start a demo federation, or only make its registers.": (
        "Avviare una federazione dimostrativa, o farne soltanto le banche dati."
    ),
    "The gateway's port; the others follow it.": "La porta del gateway; le altre seguono.",
    "How many synthetic citizens to make, 2000 at first.": "Quanti cittadini inventati creare; la prima volta 2000.",
    "How many synthetic citizens to make.": "Quanti cittadini inventati creare.",
    "Ask, verify every answer and ledger, then stop.": (
        "Interrogare, verificare ogni risposta e registro, poi fermarsi."
    ),
    "Make the registers and ledgers anew.": "Rifare da capo banche dati e registri.",
    "Mutual TLS between all parties, consumers too.": "TLS reciproco tra tutte le parti, anche i richiedenti.",
    "Make the demo's registers anew, without starting anything.": (
        "Rifare da capo le banche dati della dimostrazione, senza avviare nulla."
    ),
}

_NODE: Final[Mapping[str, str]] = {
    "Run and inspect one administration's node.": "Eseguire e controllare il nodo di un'amministrazione.",
    "Propose a mapping for an existing database, with a confidence for each line, and a policy that denies all.": (
        "Proporre una mappatura per una banca dati esistente, con la sicurezza di ogni riga, e una politica "
        "che nega tutto."
    ),
    "`sqlite:///FILE` or `postgresql://USER@HOST/NAME`; only read.": (
        "`sqlite:///FILE` o `postgresql://UTENTE@HOST/NOME`; soltanto letta."
    ),
    "The administration's code in the federation.": "Il codice dell'amministrazione nella federazione.",
    "PostgreSQL's schema; else the role's search path.": (
        "Lo schema di PostgreSQL; altrimenti il percorso di ricerca del ruolo."
    ),
    "The mapping to write.": "La mappatura da scrivere.",
    "The folder for a first policy, which denies everything.": "La cartella per una prima politica, che nega tutto.",
    "Overwrite a mapping and policy that are there.": "Sovrascrivere mappatura e politica, se ci sono.",
    "Hold a mapping against the live database: what would fail, be slow, or be unreadable, and the way out.": (
        "Confrontare una mappatura con la banca dati viva: che cosa fallirebbe, sarebbe lento o illeggibile, "
        "e il rimedio."
    ),
    "Print the SQL of a PostgreSQL role that reads what the mapping names, and nothing else: read it, then run it.": (
        "Stampare l'SQL di un ruolo PostgreSQL che legge ciò che la mappatura nomina, e null'altro: "
        "leggerlo, poi eseguirlo."
    ),
    "The database's name on its server.": "Il nome della banca dati sul suo server.",
    "Also let PostgreSQL hide the rows that `only` leaves out.": (
        "Far nascondere anche a PostgreSQL le righe che `only` esclude."
    ),
    "Ask your own node a question under its policy, without a federation; nothing is signed or recorded.": (
        "Fare una domanda al proprio nodo secondo la sua politica, senza federazione; nulla è firmato o registrato."
    ),
    "A file with a GraphQL query, `-` for standard input; not with --listen.": (
        "Un file con un'interrogazione GraphQL, `-` per lo standard input; non con --listen."
    ),
    "Kind of the consumer, such as `national`.": "Genere del richiedente, per esempio `national`.",
    "Territory of the consumer.": "Territorio del richiedente.",
    "The query's variables, as JSON.": "Le variabili dell'interrogazione, in JSON.",
    "Answer GraphQL over HTTP at this address instead, on this machine.": (
        "Rispondere invece in GraphQL su HTTP a questo indirizzo, su questa macchina."
    ),
    "Run a node until it is told to stop.": "Eseguire un nodo finché non gli si dice di fermarsi.",
    "Say by which policy a node decides, and whether its folder holds another: 0 in step, 1 drift, 5 no answer.": (
        "Dire secondo quale politica un nodo decide, e se la sua cartella ne ha un'altra: 0 allineato, 1 "
        "divergente, 5 muto."
    ),
    "How the status is written.": "Come è scritto lo stato.",
    "Propose a member to a federation: keys, address, schema, and a proof of possession of every key.": (
        "Proporre un ente a una federazione: chiavi, indirizzo, schema, e la prova del possesso di ogni chiave."
    ),
    "`it=Comune di …`: the name in a language; repeat it.": "`it=Comune di …`: il nome in una lingua; si può ripetere.",
    "What policies read as `requester.kind`, such as `municipality`.": (
        "Ciò che le politiche leggono come `requester.kind`, per esempio `municipality`."
    ),
    "What policies read as `requester.area`; `*` for everywhere.": (
        "Ciò che le politiche leggono come `requester.area`; `*` per ovunque."
    ),
    "Without a node: the code of a member that only asks.": "Senza nodo: il codice di un ente che chiede soltanto.",
    "Without a node: the folder of its keys.": "Senza nodo: la cartella delle sue chiavi.",
    "Without a node: the folder with `root.json`.": "Senza nodo: la cartella con `root.json`.",
    "The member's clients at platforms such as PDND, as JSON: docs/trust.md.": (
        "I client dell'ente presso piattaforme come PDND, in JSON: docs/trust.md."
    ),
    "Where to write the proposal.": "Dove scrivere la proposta.",
    "Give each person of a register the member's own pseudonym; no tax code leaves. Interrupted, it goes on.": (
        "Dare a ogni persona di una banca dati lo pseudonimo proprio dell'ente; nessun codice fiscale esce. "
        "Se interrotto, riprende."
    ),
    "Then the federation's directory is told of them, if the mapping says so, as by `crocevia node publish`.": (
        "Poi lo si comunica all'indice della federazione, se la mappatura lo dice, come fa `crocevia node publish`."
    ),
    "The register's table of people, perhaps `schema.table`.": (
        "La tabella delle persone, eventualmente `schema.tabella`."
    ),
    "Its key column; repeat it for a key of several.": "La sua colonna chiave; ripetere per una chiave di più colonne.",
    "Its column with the tax code.": "La sua colonna con il codice fiscale.",
    "The table for the pseudonyms; made if it is not there.": "La tabella per gli pseudonimi; creata se non c'è.",
    "Its column for the pseudonym.": "La sua colonna per lo pseudonimo.",
    "With --trial: the member's code.": "Con --trial: il codice dell'ente.",
    "People left out: key of the row and reason.": "Persone tralasciate: chiave della riga e motivo.",
    "Make pseudonyms up, to try without a federation.": "Inventare pseudonimi, per provare senza federazione.",
    "Tell the federation's directory on whom this node holds a file; what it knows already is not sent.": (
        "Comunicare all'indice della federazione di chi questo nodo ha un fascicolo; ciò che sa già non è inviato."
    ),
}

_SERVING: Final[Mapping[str, str]] = {
    "Run the federation gateway.": "Eseguire il gateway della federazione.",
    "Run the gateway of a federation, or join any federation subgraphs without privacy (open mode).": (
        "Eseguire il gateway di una federazione, o unire sottografi qualunque senza riservatezza (modo aperto)."
    ),
    "Settings of a federation's gateway (TOML).": "Impostazioni del gateway di una federazione (TOML).",
    "Open mode: a supergraph file whose subgraphs name their addresses.": (
        "Modo aperto: un supergrafo i cui sottografi dicono i loro indirizzi."
    ),
    "Open mode: a JSON file `{name: {url, sdl}}`, where `sdl` names a file.": (
        "Modo aperto: un file JSON `{nome: {url, sdl}}`, dove `sdl` indica un file."
    ),
    "Open mode: `host:port` to listen on.": "Modo aperto: `host:porta` su cui ascoltare.",
    "Open mode: a label of progressive `@override` that is active.": (
        "Modo aperto: un'etichetta attiva di `@override` progressivo."
    ),
    "Open mode: a request header that every subgraph receives too.": (
        "Modo aperto: un'intestazione della richiesta da passare a ogni sottografo."
    ),
    "Open mode: trusted documents, a JSON file `{id: document}`.": (
        "Modo aperto: documenti ammessi, un file JSON `{id: documento}`."
    ),
    "Open mode: a header by which a proxy in front tells that a client is known, and its scopes.": (
        "Modo aperto: l'intestazione con cui un proxy a monte dice che il client è noto, e i suoi ambiti."
    ),
    "Open mode: refuse what is estimated to cost more (`@cost`, `@listSize`).": (
        "Modo aperto: rifiutare ciò che si stima costi di più (`@cost`, `@listSize`)."
    ),
    "Open mode: run trusted documents and nothing else.": "Modo aperto: eseguire i documenti ammessi e null'altro.",
    "Open mode: leave `@authenticated`, `@requiresScopes`, `@policy` to the subgraphs.": (
        "Modo aperto: lasciare `@authenticated`, `@requiresScopes`, `@policy` ai sottografi."
    ),
    "Run the pseudonym exchange.": "Eseguire lo scambio di pseudonimi.",
    "Run the pseudonym exchange until it is told to stop.": (
        "Eseguire lo scambio di pseudonimi finché non gli si dice di fermarsi."
    ),
}

_FEDERATION: Final[Mapping[str, str]] = {
    "Found a federation and keep its member list.": "Fondare una federazione e tenerne la lista dei membri.",
    "Make keys and settings of the federation's own processes, and its first root and edition.": (
        "Fare chiavi e impostazioni dei processi della federazione, la prima radice e la prima edizione."
    ),
    "The federation's name, an https URL.": "Il nome della federazione, un URL https.",
    "The operators' folder.": "La cartella degli operatori.",
    "How many operators' keys to make here.": "Quante chiavi di operatori fare qui.",
    "Instead: a public key (PEM) of an operator elsewhere; repeat it.": (
        "Invece: una chiave pubblica (PEM) di un operatore altrove; si può ripetere."
    ),
    "How many of them must sign.": "Quanti di loro devono firmare.",
    "Where the gateway is reached.": "Dove si raggiunge il gateway.",
    "Where the exchange is reached.": "Dove si raggiunge lo scambio di pseudonimi.",
    "Where the registry is served.": "Dove è servito l'archivio delle edizioni.",
    "Examine a proposal, say what is wrong with it, or stage and sign the edition that admits it.": (
        "Esaminare una proposta, dire che cosa non va, o preparare e firmare l'edizione che l'ammette."
    ),
    "What `crocevia node join` wrote.": "Ciò che ha scritto `crocevia node join`.",
    "An operator's key file; repeat it. Without: every key in `operators/`.": (
        "File della chiave di un operatore; si può ripetere. Senza: ogni chiave in `operators/`."
    ),
    "What was asked so far: the gateway's ledger.db, or a file of coordinates.": (
        "Ciò che è stato chiesto finora: il ledger.db del gateway, o un file di coordinate."
    ),
    "Only say whether it would be admitted.": "Dire soltanto se sarebbe ammessa.",
    "Stage and sign the edition without a member: its keys and certificates count no more, its agreements end.": (
        "Preparare e firmare l'edizione senza un ente: chiavi e certificati non valgono più, gli accordi finiscono."
    ),
    "Stage and sign the edition with an agreement, or with more acts on one.": (
        "Preparare e firmare l'edizione con un accordo, o con altri atti su uno che c'è."
    ),
    "An agreement's file, with the signatures there are.": "Il file di un accordo, con le firme che ci sono.",
    "Stage and sign the edition that accepts a platform's vouchers, such as PDND's, by these keys.": (
        "Preparare e firmare l'edizione che accetta i voucher di una piattaforma, come PDND, con queste chiavi."
    ),
    "The `iss` of the platform's vouchers.": "L'`iss` dei voucher della piattaforma.",
    "Its key set (JWKS file), as its `/.well-known/jwks.json` serves it.": (
        "Le sue chiavi (file JWKS), come le serve il suo `/.well-known/jwks.json`."
    ),
    "Stage and sign the edition that calls purposes by their names in this vocabulary, as citizens read them.": (
        "Preparare e firmare l'edizione che chiama le finalità con i nomi di questo vocabolario, come li "
        "legge il cittadino."
    ),
    "The policy vocabulary, such as `policies/vocabulary.yaml`.": (
        "Il vocabolario delle politiche, per esempio `policies/vocabulary.yaml`."
    ),
    "Make the authority that signs the certificates of the federation's channels (mutual TLS).": (
        "Fare l'autorità che firma i certificati dei canali della federazione (TLS reciproco)."
    ),
    "Sign the certificate of a party's channels; its names and its address come from the member list.": (
        "Firmare il certificato dei canali di una parte; nomi e indirizzo vengono dalla lista dei membri."
    ),
    "A member's code, `gateway`, `exchange`, or `operator`.": (
        "Il codice di un ente, `gateway`, `exchange` o `operator`."
    ),
    "What `crocevia keys request` wrote.": "Ciò che ha scritto `crocevia keys request`.",
    "Where to write the certificate.": "Dove scrivere il certificato.",
    "The address of a party that is only proposed and not let in yet.": (
        "L'indirizzo di una parte soltanto proposta e non ancora ammessa."
    ),
    "How many days it is good for.": "Per quanti giorni vale.",
    "Stage and sign the same edition for another week, with the keys that gateway and exchange have here.": (
        "Preparare e firmare la stessa edizione per un'altra settimana, con le chiavi che gateway e scambio hanno qui."
    ),
    "Stage the root with other operators, or with a new key for the timestamp; old and new operators sign it.": (
        "Preparare la radice con altri operatori, o una nuova chiave per la marca; firmano i vecchi e i "
        "nuovi operatori."
    ),
    "A public or private key (PEM) of an operator from now on.": (
        "Chiave pubblica o privata (PEM) di chi è operatore da ora in poi."
    ),
    "Sign what is staged, and publish it when enough operators have.": (
        "Firmare ciò che è preparato, e pubblicarlo quando hanno firmato abbastanza operatori."
    ),
    "Show the edition in force, its members and agreements, and what waits for signatures.": (
        "Mostrare l'edizione in vigore, i suoi enti e accordi, e ciò che attende firme."
    ),
    "Run the publisher: serve the registry and keep its timestamp fresh.": (
        "Eseguire il pubblicatore: servire l'archivio delle edizioni e tenerne fresca la marca."
    ),
    "The publisher's settings (TOML).": "Le impostazioni del pubblicatore (TOML).",
}

_AGREEMENTS: Final[Mapping[str, str]] = {
    "Draft, sign, suspend and end agreements.": "Preparare, firmare, sospendere e chiudere gli accordi.",
    "Write the terms of an agreement to a file, for the parties' officers to sign.": (
        "Scrivere in un file i termini di un accordo, perché gli incaricati delle parti lo firmino."
    ),
    "The agreement's file.": "Il file dell'accordo.",
    "The agreement's id, such as `acc-2026-012`.": "L'identificativo dell'accordo, per esempio `acc-2026-012`.",
    "`purpose=6.1.c,9.2.g`: a purpose and its legal bases; repeat it.": (
        "`finalità=6.1.c,9.2.g`: una finalità e le sue basi giuridiche; si può ripetere."
    ),
    "`member=Citizen.*,Residence.*`: who is asked for which fields; repeat it.": (
        "`ente=Citizen.*,Residence.*`: a chi si chiedono quali campi; si può ripetere."
    ),
    "The last day, as 2027-12-31.": "L'ultimo giorno, come 2027-12-31.",
    "The first day; today without it.": "Il primo giorno; senza, oggi.",
    "How many requests a day.": "Quante richieste al giorno.",
    "`member=500`: elements in a list of its answers, 100 unless given, at most 1000; repeat it.": (
        "`ente=500`: elementi in un elenco delle sue risposte; se non detto 100, al massimo 1000; si può ripetere."
    ),
    "File with an operation; with one, nothing else may be asked; repeat it.": (
        "File con un'operazione; se ce n'è uno, null'altro si può chiedere; si può ripetere."
    ),
    "Accept the terms in a file in the name of a party.": "Accettare i termini di un file a nome di una parte.",
    "The member in whose name the officer signs.": "L'ente a nome del quale firma l'incaricato.",
    "The registry's folder.": "La cartella dell'archivio delle edizioni.",
    "Suspend an agreement at once; until a second officer does the same, it is flagged as not countersigned.": (
        "Sospendere subito un accordo; finché un secondo incaricato non fa lo stesso, resta segnalato come "
        "non controfirmato."
    ),
    "The agreement's id.": "L'identificativo dell'accordo.",
    "Why; it is signed and everybody reads it.": "Il motivo; è firmato e lo leggono tutti.",
    "The file for the operators; `<id>.json` without it.": "Il file per gli operatori; senza, `<id>.json`.",
    "The own node's folder `state`: the act holds there at once.": (
        "La cartella `state` del proprio nodo: lì l'atto vale subito."
    ),
    "Sign that a suspension of this member ends; it ends when two of its officers have signed.": (
        "Firmare che una sospensione di questo ente finisce; finisce quando hanno firmato due suoi incaricati."
    ),
    "End an agreement: two officers of one party; the first one has suspended it.": (
        "Chiudere un accordo: due incaricati di una parte; già il primo lo sospende."
    ),
    "Show the published agreements and where they stand.": "Mostrare gli accordi pubblicati e a che punto sono.",
    "Show the terms of an agreement, who did what to it, and where it stands.": (
        "Mostrare i termini di un accordo, chi ne ha fatto che cosa, e a che punto è."
    ),
    "The agreement's id, or its file.": "L'identificativo dell'accordo, o il suo file.",
}

_KEYS: Final[Mapping[str, str]] = {
    "Make the keys of a party.": "Fare le chiavi di una parte.",
    "Make a party's missing keys, in files of mode 0600 or the message key in hardware, and print its thumbprint.": (
        "Fare le chiavi che mancano a una parte, in file di modo 0600 o quella dei messaggi in un "
        "dispositivo, e stamparne "
        "l'impronta."
    ),
    "The party's key folder; keys that are there are kept.": (
        "La cartella delle chiavi della parte; quelle che ci sono restano."
    ),
    "Make the message key in this PKCS#11 module.": "Fare la chiave dei messaggi in questo modulo PKCS#11.",
    "The token's label in the module.": "L'etichetta del token nel modulo.",
    "The key's label in the token.": "L'etichetta della chiave nel token.",
    "The file of mode 0600 with the token's PIN.": "Il file di modo 0600 con il PIN del token.",
    "Take the next step of replacing a party's message key, with both keys listed while both are in use.": (
        "Fare il prossimo passo nel sostituire la chiave dei messaggi di una parte; finché sono in uso, in "
        "lista stanno due."
    ),
    "Show the keys of a party: use, thumbprint, and until when they are listed; never a private one.": (
        "Mostrare le chiavi di una parte: uso, impronta, e fino a quando sono in lista; mai una privata."
    ),
    "Also say which keys the registry in this folder lists.": (
        "Dire anche quali chiavi elenca l'archivio delle edizioni in questa cartella."
    ),
    "Make the key of a party's channels (mutual TLS) unless it is there, and write a request for its certificate.": (
        "Fare la chiave dei canali di una parte (TLS reciproco) se non c'è, e scrivere la richiesta del certificato."
    ),
    "The party: a member's code, `gateway`, `exchange`, or `operator`.": (
        "La parte: il codice di un ente, `gateway`, `exchange` o `operator`."
    ),
    "Where to write the request.": "Dove scrivere la richiesta.",
}

_POLICY: Final[Mapping[str, str]] = {
    "Write, test, compare and prove privacy policies.": (
        "Scrivere, provare, confrontare e dimostrare politiche di riservatezza."
    ),
    "Check documents, names, types, forms, overlaps and coverage; all errors in one run.": (
        "Controllare documenti, nomi, tipi, forme, sovrapposizioni e copertura; tutti gli errori in una volta."
    ),
    "Folder of a bundle, or of several bundles.": "Cartella di un pacchetto, o di più pacchetti.",
    "GraphQL schema that the bundle must cover.": "Schema GraphQL che il pacchetto deve coprire.",
    "Run the test suites of a bundle.": "Eseguire le prove di un pacchetto.",
    "Say why a field is shown, masked or denied: every rule and the clause on which it fails.": (
        "Dire perché un campo è mostrato, mascherato o negato: ogni regola e la clausola su cui cade."
    ),
    "A field, such as `Citizen.taxCode`.": "Un campo, per esempio `Citizen.taxCode`.",
    "Kind of the requester, such as `national`.": "Genere del richiedente, per esempio `national`.",
    "Territory of the requester.": "Territorio del richiedente.",
    "Day of the request; today if omitted.": "Giorno della richiesta; se omesso, oggi.",
    'Attributes of one row, as JSON: `{"age": 12}`.': 'Attributi di una riga, in JSON: `{"age": 12}`.',
    "A purpose consented to; repeat it.": "Una finalità per cui c'è il consenso; si può ripetere.",
    "Show who sees what; fail if matrix.lock exists and says otherwise.": (
        "Mostrare chi vede che cosa; fallisce se c'è matrix.lock e dice altro."
    ),
    "Write the matrix to each bundle's matrix.lock.": "Scrivere la matrice nel matrix.lock di ogni pacchetto.",
    "Write it as a page with colours to this file.": "Scriverla in questo file come pagina a colori.",
    "Say every rule, or those about one type or field, as a sentence.": (
        "Dire con una frase ogni regola, o quelle di un tipo o di un campo."
    ),
    "A type, or a field such as `Citizen.taxCode`.": "Un tipo, o un campo come `Citizen.taxCode`.",
    "Write a first bundle for a schema: everything governed, nobody sees anything, comments say how to go on.": (
        "Scrivere un primo pacchetto per uno schema: tutto è governato, nessuno vede nulla, i commenti "
        "dicono come proseguire."
    ),
    "The GraphQL schema to govern (SDL).": "Lo schema GraphQL da governare (SDL).",
    "The new bundle's folder.": "La cartella del nuovo pacchetto.",
    "The federation's vocabulary.yaml; else the usual one.": (
        "Il vocabulary.yaml della federazione; altrimenti il consueto."
    ),
    "Whom to ask about the policy.": "A chi chiedere della politica.",
    "Prove the invariants over every situation, name what never matters, and that SQL, closures and z3 agree.": (
        "Dimostrare gli invarianti in ogni situazione, dire che cosa non conta mai, e che SQL, closure e z3 concordano."
    ),
    "Say who gains and who loses what between two bundles.": (
        "Dire chi guadagna e chi perde che cosa tra due pacchetti."
    ),
    "Folder of the bundle as it is.": "Cartella del pacchetto com'è.",
    "Folder of the bundle as it shall be.": "Cartella del pacchetto come sarà.",
    "Edit the policy carelessly, one rule at a time, and say what tests, invariants and matrix.lock notice.": (
        "Guastare la politica, una regola alla volta, e dire che cosa notano prove, invarianti e matrix.lock."
    ),
    "Percentage of mutants that must be noticed.": "Percentuale di guasti che devono essere notati.",
    "Decide recorded operations again by a candidate bundle, and list what would be decided otherwise.": (
        "Decidere di nuovo operazioni registrate con un pacchetto candidato, ed elencare che cosa cambierebbe."
    ),
    "Journal entries, one JSON object per line.": "Voci del giornale, un oggetto JSON per riga.",
    'JSON: `{"inprev": {"kind": "national"}}`.': 'JSON: `{"inprev": {"kind": "national"}}`.',
    "Make an officer's key if it is not there, and enter its public half into officers.json.": (
        "Fare la chiave di un incaricato se non c'è, e iscriverne la metà pubblica in officers.json."
    ),
    "Who the officer is; one person has one name here, whatever the keys.": (
        "Chi è l'incaricato; qui una persona ha un solo nome, quali che siano le chiavi."
    ),
    "What she may sign; repeat it.": "Che cosa può firmare; si può ripetere.",
    "The officer's Ed25519 key file (PEM, mode 0600).": (
        "Il file della chiave Ed25519 dell'incaricato (PEM, modo 0600)."
    ),
    "officers.json, to which the public key is added.": "officers.json, a cui si aggiunge la chiave pubblica.",
    "Sign a bundle as its author: write bundle.json with the next revision.": (
        "Firmare un pacchetto come autore: scrivere bundle.json con la prossima revisione."
    ),
    "Folder of the published revisions; omitted for the first one.": (
        "Cartella delle revisioni pubblicate; omessa per la prima."
    ),
    "Sign a bundle as its approver, who is another person than its author.": (
        "Firmare un pacchetto come approvatore, che è persona diversa dall'autore."
    ),
    "Say whether a bundle may come into force, or is in force: its files, its revision, its two signatures.": (
        "Dire se un pacchetto può entrare in vigore, o lo è: i suoi file, la revisione, le due firme."
    ),
    "officers.json: holders, roles and public keys.": "officers.json: titolari, ruoli e chiavi pubbliche.",
    "Folder of the published revisions.": "Cartella delle revisioni pubblicate.",
    "Bring a signed bundle into force: keep it under its revision and point `current` at it, in one step.": (
        "Mettere in vigore un pacchetto firmato: conservarlo sotto la sua revisione e farla indicare da "
        "`current`, insieme."
    ),
    "Write an older revision as a new draft, to be signed and approved under a higher revision.": (
        "Scrivere una revisione vecchia come nuova bozza, da firmare e approvare con una revisione più alta."
    ),
    "The revision whose content shall come back.": "La revisione il cui contenuto deve tornare.",
    "New folder for the draft.": "Cartella nuova per la bozza.",
    "Write the register of processing (GDPR art. 30), one entry per grant; what nobody declared is marked.": (
        "Scrivere il registro dei trattamenti (art. 30 GDPR), una voce per concessione; ciò che manca è segnato."
    ),
    "How the register is written.": "Come è scritto il registro.",
    "File to write; standard output if omitted.": "File da scrivere; se omesso, lo standard output.",
    "Write the risk analysis per purpose and recipient, as input of a DPIA; what only people know is left open.": (
        "Scrivere l'analisi dei rischi per finalità e destinatario, per una DPIA; ciò che sanno solo le "
        "persone resta aperto."
    ),
    "Write a bundle as ODRL, Cedar, PDND risk analyses or JSON; with `--format json` Cedar and errors are JSON too.": (
        "Scrivere un pacchetto in ODRL, Cedar, analisi del rischio PDND o JSON; con `--format json` anche "
        "Cedar ed errori."
    ),
    "JSON-LD with one ODRL agreement per grant.": "JSON-LD con un accordo ODRL per concessione.",
    "Cedar policies and entities.": "Politiche ed entità Cedar.",
    "One PDND risk analysis per purpose and recipient.": "Un'analisi del rischio PDND per finalità e destinatario.",
    "The documents as JSON.": "I documenti in JSON.",
    "IRI of the administration, for ODRL.": "IRI dell'amministrazione, per ODRL.",
    "Read agreements or a risk analysis as draft grants, for an officer to complete; nothing comes into force.": (
        "Leggere accordi o un'analisi del rischio come bozze di concessioni, da completare; nulla entra in vigore."
    ),
    "ODRL agreements (JSON-LD), or a PDND risk analysis (JSON).": (
        "Accordi ODRL (JSON-LD), o un'analisi del rischio PDND (JSON)."
    ),
    "The file is ODRL.": "Il file è ODRL.",
    "A PDND risk analysis.": "Un'analisi del rischio PDND.",
    "For a risk analysis: who asks; repeat it.": "Per un'analisi del rischio: chi chiede; si può ripetere.",
    "For a risk analysis: the vocabulary's purpose.": "Per un'analisi del rischio: la finalità del vocabolario.",
    "For a risk analysis: a field to ask for; else all. Repeat it.": (
        "Per un'analisi del rischio: un campo da chiedere; altrimenti tutti. Si può ripetere."
    ),
}

HELP: Final[Mapping[str, str]] = {
    **_SHARED,
    **_ASKING,
    **_LEDGERS,
    **_REGISTER,
    **_SCHEMAS,
    **_DEMO,
    **_NODE,
    **_SERVING,
    **_FEDERATION,
    **_AGREEMENTS,
    **_KEYS,
    **_POLICY,
}
"""Of every command and option, paragraph by paragraph."""

TYPER: Final[Mapping[str, str]] = {
    "Show this message and exit.": "Mostrare questo messaggio e uscire.",
    "Install completion for the current shell.": "Installare il completamento per questa shell.",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "Mostrare il completamento per questa shell, per copiarlo o adattarlo."
    ),
    "Usage: {command} [OPTIONS] COMMAND [ARGS]...": "Uso: {command} [OPZIONI] COMANDO [ARGOMENTI]...",
    "Usage: {command} [OPTIONS] {arguments}": "Uso: {command} [OPZIONI] {arguments}",
    "Usage: {command} [OPTIONS]": "Uso: {command} [OPZIONI]",
    "No such command {name}. Did you mean {near}?": "Il comando {name} non esiste. Forse {near}?",
    "No such command {name}.": "Il comando {name} non esiste.",
    "Missing argument {name}.": "Manca l'argomento {name}.",
    "Missing option {name}.": "Manca l'opzione {name}.",
    "No such option: {name} (Possible options: {near})": "L'opzione {name} non esiste (forse: {near})",
    "No such option: {name}": "L'opzione {name} non esiste",
    "Option {name} requires an argument.": "L'opzione {name} vuole un valore.",
    "Option {name} does not take a value.": "L'opzione {name} non prende un valore.",
    "Got unexpected extra argument(s) ({extra})": "Argomenti di troppo ({extra})",
    "Invalid value for {name}: Value error, {value} is not one of {choices}.": (
        "Valore non valido per {name}: {value} non è tra {choices}."
    ),
    "Invalid value for {name}: {problem}": "Valore non valido per {name}: {problem}",
}
"""What Typer says of its own, with gaps; a sentence comes after those that begin or end with it."""
