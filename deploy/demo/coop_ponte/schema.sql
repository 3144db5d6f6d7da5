-- Cooperativa sociale Il Ponte: il gestionale dei progetti. Iniziali e anno di nascita, nessun codice fiscale.
create table utenti (
  id               integer primary key,
  pseudonimo       text not null,
  iniziali         text not null,
  anno_nascita     integer not null,
  attivo           integer not null,
  preso_in_carico  text not null
);
create table progetti (
  codice      text primary key,
  id_utente   integer not null references utenti (id),
  tipo        text not null,
  stato       text not null,
  inizio      text not null,
  fine        text,
  ore_sett    integer,
  note        text
);

create unique index ix_utenti_pseudonimo on utenti (pseudonimo);
create index ix_progetti_utente on progetti (id_utente, inizio);
