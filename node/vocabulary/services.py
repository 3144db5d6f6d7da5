"""Public organisations, the services they offer, and a citizen's dealings with them (CPOV, CPSV-AP 3.2)."""

import strawberry

from node.vocabulary.directives import Category
from node.vocabulary.scalars import Date, DateTime, Decimal, Duration, Url
from node.vocabulary.terms import (
    ADMS,
    CPSV,
    CROCEVIA,
    DCT,
    FOAF,
    M8G,
    ORG,
    SKOS,
    TI,
    concept,
    entity,
    field,
    shared_concept,
    shared_entity,
)


@shared_entity(f"{M8G}PublicOrganisation", "An organisation of the public sector.", "Un'organizzazione pubblica.")
class PublicOrganisation:
    """CPOV PublicOrganisation."""

    id: strawberry.ID | None = field(
        f"{DCT}identifier", Category.PUBLIC, "Its IPA code or that of its office.", "Il codice IPA dell'ente o ufficio."
    )
    pref_label: str | None = field(f"{SKOS}prefLabel", Category.PUBLIC, "Its preferred name.", "La denominazione.")
    classification: str | None = field(
        f"{ORG}classification", Category.PUBLIC, "What kind of organisation it is.", "Il tipo di ente."
    )
    homepage: Url | None = field(f"{FOAF}homepage", Category.PUBLIC, "Its web site.", "Il sito istituzionale.")


@shared_concept(f"{M8G}Channel", "A way to reach a service.", "Un canale di accesso al servizio.")
class Channel:
    """CPSV-AP Channel."""

    kind: str | None = field(
        f"{DCT}type", Category.PUBLIC, "Counter, telephone, app and so on.", "Sportello, telefono, app e così via."
    )
    description: str | None = field(f"{DCT}description", Category.PUBLIC, "How it works.", "Come funziona.")
    opening_hours: str | None = field(f"{M8G}openingHours", Category.PUBLIC, "When it is open.", "Gli orari.")


@shared_concept(f"{M8G}LifeEvent", "An event in life that calls for services.", "Un evento della vita.")
class LifeEvent:
    """CPSV-AP LifeEvent, with the Italian code list of life events."""

    code: str | None = field(
        f"{DCT}type", Category.PUBLIC, "Its code in the national list.", "Il codice nel vocabolario nazionale."
    )
    title: str | None = field(f"{DCT}title", Category.PUBLIC, "Its name.", "Il nome dell'evento.")


@entity(f"{CPSV}PublicService", "A service offered to citizens.", "Un servizio pubblico offerto ai cittadini.")
class PublicService:
    """CPSV-AP PublicService."""

    id: strawberry.ID | None = field(f"{DCT}identifier", Category.PUBLIC, "Its identifier.", "L'identificativo.")
    title: str | None = field(f"{DCT}title", Category.PUBLIC, "Its name.", "Il nome del servizio.")
    description: str | None = field(f"{DCT}description", Category.PUBLIC, "What it gives.", "Che cosa offre.")
    competent_authority: PublicOrganisation | None = field(
        f"{M8G}hasCompetentAuthority", Category.PUBLIC, "Who is responsible for it.", "L'autorità competente."
    )
    channels: list[Channel] | None = field(
        f"{M8G}hasChannel", Category.PUBLIC, "How to reach it.", "I canali di accesso."
    )
    life_events: list[LifeEvent] | None = field(
        f"{M8G}isGroupedBy", Category.PUBLIC, "The events it belongs to.", "Gli eventi della vita collegati."
    )
    processing_time: Duration | None = field(
        f"{M8G}processingTime", Category.PUBLIC, "How long it takes at most.", "Il tempo massimo di conclusione."
    )
    cost: Decimal | None = field(f"{M8G}hasCost", Category.PUBLIC, "What it costs, in euro.", "Il costo in euro.")


@entity(f"{CROCEVIA}ServiceCase", "A procedure opened for a citizen.", "Una pratica aperta per un cittadino.")
class ServiceCase:
    """A case: no core vocabulary has one yet."""

    id: strawberry.ID | None = field(f"{DCT}identifier", Category.CASE, "Its protocol number.", "Il numero di pratica.")
    title: str | None = field(f"{DCT}title", Category.CASE, "What it is about.", "L'oggetto della pratica.")
    status: str | None = field(f"{ADMS}status", Category.CASE, "Its state.", "Lo stato della pratica.")
    opened_on: Date | None = field(f"{TI}startTime", Category.CASE, "The day it was opened.", "La data di apertura.")
    deadline: Date | None = field(
        f"{CROCEVIA}deadline", Category.CASE, "The day by which it must end.", "Il termine di conclusione."
    )
    service: PublicService | None = field(
        f"{CROCEVIA}concernsService", Category.CASE, "The service asked for.", "Il servizio richiesto."
    )


@concept(f"{CROCEVIA}Interaction", "One contact between a citizen and an office.", "Un contatto con un ufficio.")
class Interaction:
    """A contact over any channel: no core vocabulary has one yet."""

    channel: str | None = field(f"{M8G}hasChannel", Category.RELATION, "The channel used.", "Il canale usato.")
    direction: str | None = field(
        f"{CROCEVIA}direction", Category.RELATION, "`inbound` or `outbound`.", "In entrata (`inbound`) o in uscita."
    )
    topic: str | None = field(f"{DCT}subject", Category.RELATION, "What it was about.", "L'argomento.")
    outcome: str | None = field(f"{CROCEVIA}outcome", Category.RELATION, "How it ended.", "L'esito.")
    at: DateTime | None = field(f"{TI}atTime", Category.RELATION, "When it took place.", "Quando è avvenuto.")
    service: PublicService | None = field(
        f"{CROCEVIA}concernsService", Category.RELATION, "The service concerned.", "Il servizio interessato."
    )
