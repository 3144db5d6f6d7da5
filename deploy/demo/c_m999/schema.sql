-- Comune di Borgoverde: gestionale demografico e protocollo, come si trova in un comune da vent'anni.
-- Date in testo aaaammgg (zeri dove il giorno o il mese non è noto), codici ISTAT e ministeriali, niente nomi parlanti.
CREATE TABLE TAB_COMUNI (
  COD_CAT   TEXT PRIMARY KEY,
  DENOM     TEXT NOT NULL
);
CREATE TABLE FAMIGLIE (
  COD_FAM   INTEGER PRIMARY KEY,
  DT_COST   TEXT NOT NULL
);
CREATE TABLE ANAGRAFE (
  ID_SOGG   INTEGER PRIMARY KEY,
  PSEUDO    TEXT NOT NULL,
  COD_FISC  TEXT,
  COGNOME   TEXT NOT NULL,
  NOME      TEXT NOT NULL,
  DT_NASC   TEXT NOT NULL,
  AA_NASC   INTEGER NOT NULL,
  COM_NASC  TEXT REFERENCES TAB_COMUNI (COD_CAT),
  SESSO     TEXT NOT NULL,
  CITTAD    TEXT NOT NULL,
  STATO_CIV TEXT,
  POS_ANAG  TEXT NOT NULL,
  DT_ISCR   TEXT NOT NULL,
  DT_CANC   TEXT,
  COD_COM   TEXT NOT NULL,
  IND_VIA   TEXT NOT NULL,
  IND_CIV   TEXT,
  IND_CAP   TEXT,
  IND_LOC   TEXT,
  IND_PROV  TEXT,
  COD_FAM   INTEGER REFERENCES FAMIGLIE (COD_FAM),
  COD_PAR   TEXT,
  FL_TUTELA TEXT,
  NUM_COMP  INTEGER
);
CREATE TABLE RECAPITI (
  ID_REC    INTEGER PRIMARY KEY,
  ID_SOGG   INTEGER NOT NULL REFERENCES ANAGRAFE (ID_SOGG),
  TIPO_REC  TEXT NOT NULL,
  EMAIL     TEXT,
  TEL       TEXT,
  FL_PREF   TEXT NOT NULL,
  LINGUA    TEXT
);
CREATE TABLE ENTI (
  COD_IPA   TEXT PRIMARY KEY,
  DENOM     TEXT NOT NULL,
  CATEG     TEXT NOT NULL,
  SITO      TEXT
);
CREATE TABLE SERVIZI (
  COD_SERV  TEXT PRIMARY KEY,
  TITOLO    TEXT NOT NULL,
  DESCRIZ   TEXT NOT NULL,
  GG_PROC   INTEGER,
  COSTO     DECIMAL(8, 2),
  COD_IPA   TEXT NOT NULL REFERENCES ENTI (COD_IPA)
);
CREATE TABLE CANALI (
  COD_CAN   TEXT PRIMARY KEY,
  DESCRIZ   TEXT NOT NULL,
  ORARI     TEXT
);
CREATE TABLE SERVIZI_CANALI (
  COD_SERV  TEXT NOT NULL REFERENCES SERVIZI (COD_SERV),
  COD_CAN   TEXT NOT NULL REFERENCES CANALI (COD_CAN),
  PRIMARY KEY (COD_SERV, COD_CAN)
);
CREATE TABLE EVENTI_VITA (
  COD_EV    TEXT PRIMARY KEY,
  TITOLO    TEXT NOT NULL
);
CREATE TABLE SERVIZI_EVENTI (
  COD_SERV  TEXT NOT NULL REFERENCES SERVIZI (COD_SERV),
  COD_EV    TEXT NOT NULL REFERENCES EVENTI_VITA (COD_EV),
  PRIMARY KEY (COD_SERV, COD_EV)
);
CREATE TABLE PRATICHE (
  NUM_PRAT  TEXT PRIMARY KEY,
  ID_SOGG   INTEGER NOT NULL REFERENCES ANAGRAFE (ID_SOGG),
  COD_SERV  TEXT NOT NULL REFERENCES SERVIZI (COD_SERV),
  OGGETTO   TEXT NOT NULL,
  COD_STATO TEXT NOT NULL,
  DT_APER   TEXT NOT NULL,
  DT_TERM   TEXT
);
CREATE TABLE CONTATTI (
  ID_CONT   INTEGER PRIMARY KEY,
  ID_SOGG   INTEGER NOT NULL REFERENCES ANAGRAFE (ID_SOGG),
  CANALE    TEXT NOT NULL,
  VERSO     TEXT NOT NULL,
  ARGOM     TEXT NOT NULL,
  ESITO     TEXT,
  TS_CONT   TEXT NOT NULL,
  COD_SERV  TEXT REFERENCES SERVIZI (COD_SERV)
);
CREATE TABLE CONSENSI (
  ID_CONS   INTEGER PRIMARY KEY,
  ID_SOGG   INTEGER NOT NULL REFERENCES ANAGRAFE (ID_SOGG),
  COD_FIN   TEXT NOT NULL,
  ENTE      TEXT,
  DT_DAL    TEXT NOT NULL,
  DT_REV    TEXT,
  DT_SCAD   TEXT
);

INSERT INTO TAB_COMUNI VALUES
  ('F257', 'Modena'), ('I462', 'Sassuolo'), ('B819', 'Carpi'), ('H223', 'Reggio nell''Emilia'), ('D548', 'Ferrara'),
  ('D643', 'Foggia'), ('E506', 'Lecce'), ('G478', 'Perugia'), ('D086', 'Cosenza'), ('F952', 'Novara'),
  ('L219', 'Torino'), ('G224', 'Padova'), ('Z129', 'Romania'), ('Z330', 'Marocco'), ('Z100', 'Albania'),
  ('Z138', 'Ucraina'), ('Z216', 'Filippine'), ('Z210', 'Repubblica Popolare Cinese'), ('Z140', 'Moldova'),
  ('Z236', 'Pakistan'), ('Z335', 'Nigeria'), ('Z110', 'Francia');
INSERT INTO ENTI VALUES ('c_m999', 'Comune di Borgoverde', '204', 'https://www.comune.borgoverde.example/');
INSERT INTO SERVIZI VALUES
  ('SRV01', 'Cambio di residenza', 'Dichiarazione di trasferimento nel comune o di cambio di abitazione.', 45, 0, 'c_m999'),
  ('SRV02', 'Carta d''identità elettronica', 'Rilascio e rinnovo della carta d''identità elettronica.', 6, 22.21, 'c_m999'),
  ('SRV03', 'Mensa e trasporto scolastico', 'Iscrizione ai servizi di mensa e trasporto e agevolazioni.', 60, 0, 'c_m999'),
  ('SRV04', 'Assegno di maternità del Comune', 'Assegno per le madri senza altra copertura previdenziale.', 60, 0, 'c_m999'),
  ('SRV05', 'Contrassegno di parcheggio per disabili', 'Rilascio del contrassegno unificato europeo.', 30, 0, 'c_m999'),
  ('SRV06', 'Tassa sui rifiuti', 'Dichiarazioni, agevolazioni e rimborsi della tassa sui rifiuti.', 90, 0, 'c_m999'),
  ('SRV07', 'Servizio sociale professionale', 'Ascolto, orientamento e presa in carico.', 30, 0, 'c_m999'),
  ('SRV08', 'Prestito bibliotecario', 'Prestito di libri, riviste e film della biblioteca civica.', 0, 0, 'c_m999');
INSERT INTO CANALI VALUES
  ('01.1.1', 'Sportello del cittadino', 'Mo-Sa 08:30-12:30; Tu,Th 15:00-17:30'),
  ('03.2', 'Centralino del Comune', 'Mo-Fr 08:00-18:00'),
  ('04.1', 'Posta elettronica certificata', NULL),
  ('05.1', 'Applicazione per telefono', '24/7');
INSERT INTO SERVIZI_CANALI VALUES
  ('SRV01', '01.1.1'), ('SRV01', '04.1'), ('SRV02', '01.1.1'), ('SRV03', '01.1.1'), ('SRV03', '05.1'),
  ('SRV04', '01.1.1'), ('SRV05', '01.1.1'), ('SRV05', '03.2'), ('SRV06', '04.1'), ('SRV06', '05.1'),
  ('SRV07', '01.1.1'), ('SRV07', '03.2'), ('SRV08', '01.1.1'), ('SRV08', '05.1');
INSERT INTO EVENTI_VITA VALUES
  ('1', 'Iscrizione scuola/università e/o richiesta borsa di studio'), ('2', 'Invalidità'),
  ('9', 'Cambio di residenza/domicilio'), ('12', 'Nascita di un bambino, richiesta adozioni'),
  ('17', 'Dichiarazione dei redditi, versamento e riscossione tributi/imposte e contributi'),
  ('18', 'Accesso luoghi della cultura');
INSERT INTO SERVIZI_EVENTI VALUES
  ('SRV01', '9'), ('SRV03', '1'), ('SRV04', '12'), ('SRV05', '2'), ('SRV06', '9'), ('SRV06', '17'), ('SRV07', '2'),
  ('SRV08', '18');

CREATE UNIQUE INDEX IX_ANAG_PSEUDO ON ANAGRAFE (PSEUDO);
CREATE UNIQUE INDEX IX_ANAG_CF ON ANAGRAFE (COD_FISC);
CREATE INDEX IX_ANAG_FAM ON ANAGRAFE (COD_FAM);
CREATE INDEX IX_RECAP_SOGG ON RECAPITI (ID_SOGG);
CREATE INDEX IX_PRAT_SOGG ON PRATICHE (ID_SOGG, DT_APER);
CREATE INDEX IX_CONT_SOGG ON CONTATTI (ID_SOGG, TS_CONT);
CREATE INDEX IX_CONS_SOGG ON CONSENSI (ID_SOGG, COD_FIN);
