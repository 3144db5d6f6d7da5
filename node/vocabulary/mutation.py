"""What a consumer may write about a citizen: each is answered with the record as it was written, under policy (R41)."""

from typing import Any

import strawberry

from node.vocabulary.directives import Category, Semantic
from node.vocabulary.scalars import Date, DateTime
from node.vocabulary.services import Interaction, ServiceCase
from node.vocabulary.terms import (
    CROCEVIA,
    DCT,
    HYDRA,
    M8G,
    TI,
    argument,
    concept,
    field,
    in_two_languages,
)


@concept(f"{CROCEVIA}Feedback", "What a citizen thinks of a service.", "Il parere di un cittadino su un servizio.")
class Feedback:
    """An opinion on a service: no core vocabulary has one yet."""

    service: str | None = field(f"{CROCEVIA}concernsService", Category.RELATION, "The service.", "Il servizio.")
    rating: int | None = field(f"{CROCEVIA}rating", Category.RELATION, "From 1 to 5.", "Da 1 a 5.")
    comment: str | None = field(f"{DCT}description", Category.RELATION, "In words.", "A parole.")
    at: DateTime | None = field(f"{TI}atTime", Category.RELATION, "When it was given.", "Quando è stato espresso.")


@concept(f"{CROCEVIA}ConsentRecord", "A consent given or withdrawn.", "Un consenso dato o revocato.")
class ConsentRecord:
    """A consent, as GDPR art. 7 wants it demonstrable."""

    purpose: str | None = field(f"{CROCEVIA}forPurpose", Category.RELATION, "For what.", "Per quale finalità.")
    consumer: str | None = field(
        f"{CROCEVIA}forConsumer", Category.RELATION, "To whom; null: to everybody.", "A chi; nullo: a tutti."
    )
    given: bool | None = field(f"{CROCEVIA}given", Category.RELATION, "Given, or withdrawn.", "Dato o revocato.")
    expires: Date | None = field(f"{TI}endTime", Category.RELATION, "Its last day.", "L'ultimo giorno.")
    at: DateTime | None = field(f"{TI}atTime", Category.RELATION, "When it was recorded.", "Quando è stato registrato.")


@concept(
    f"{CROCEVIA}ContactPreference", "How a citizen wants to be reached.", "Come un cittadino vuole essere contattato."
)
class ContactPreference:
    """A wish about contacts."""

    channel: str | None = field(f"{M8G}hasChannel", Category.CONTACT, "The channel wanted.", "Il canale preferito.")
    language: str | None = field(f"{DCT}language", Category.CONTACT, "The language wanted.", "La lingua preferita.")
    hours: str | None = field(f"{M8G}openingHours", Category.CONTACT, "When to call.", "Gli orari preferiti.")
    at: DateTime | None = field(f"{TI}atTime", Category.CONTACT, "When it was said.", "Quando è stata espressa.")


def _input(en: str, it: str) -> Any:
    return strawberry.input(description=in_two_languages(en, it))


def _given(en: str, it: str) -> Any:
    return strawberry.field(description=in_two_languages(en, it))


def _may_be_given(en: str, it: str) -> Any:
    return strawberry.field(default=None, description=in_two_languages(en, it))


_CITIZEN = (
    "The asking administration's own pseudonym of the citizen.",
    "Lo pseudonimo del cittadino presso chi scrive.",
)
_SERVICE = ("The service concerned.", "Il servizio interessato.")


@_input("A contact with a citizen.", "Un contatto con un cittadino.")
class InteractionInput:
    """A contact that took place."""

    citizen: strawberry.ID = _given(*_CITIZEN)
    channel: str = _given("The channel used.", "Il canale usato.")
    direction: str = _given("`inbound` or `outbound`.", "In entrata (`inbound`) o in uscita (`outbound`).")
    topic: str = _given("What it was about, up to 200 characters.", "L'argomento, fino a 200 caratteri.")
    outcome: str | None = _may_be_given("How it ended.", "L'esito.")
    at: DateTime | None = _may_be_given("When it took place; now if left out.", "Quando è avvenuto; adesso se manca.")


@_input("A case in a new state.", "Un nuovo stato di una pratica.")
class CaseStatusInput:
    """A change of a case's state."""

    citizen: strawberry.ID = _given(*_CITIZEN)
    case: strawberry.ID = _given("The case's protocol number.", "Il numero della pratica.")
    status: str = _given(
        "Its new state: open, waiting, closed or rejected.", "Il nuovo stato: open, waiting, closed, rejected."
    )


@_input("An opinion on a service.", "Un parere su un servizio.")
class FeedbackInput:
    """A citizen's opinion."""

    citizen: strawberry.ID = _given(*_CITIZEN)
    service: strawberry.ID = _given(*_SERVICE)
    rating: int = _given("From 1 to 5.", "Da 1 a 5.")
    comment: str | None = _may_be_given("In words, up to 2 000 characters.", "A parole, fino a 2 000 caratteri.")


@_input("A consent given or withdrawn.", "Un consenso dato o revocato.")
class ConsentInput:
    """What a citizen decided."""

    citizen: strawberry.ID = _given(*_CITIZEN)
    purpose: str = _given("For what, from the vocabulary of purposes.", "La finalità, dal vocabolario.")
    given: bool = _given("Given (true) or withdrawn (false).", "Dato (true) o revocato (false).")
    consumer: str | None = _may_be_given("To whom; everybody if left out.", "A chi; a tutti se manca.")
    expires: Date | None = _may_be_given("Its last day.", "L'ultimo giorno.")


@_input("How a citizen wants to be reached.", "Come un cittadino vuole essere contattato.")
class ContactPreferenceInput:
    """A citizen's wish; what is left out is as before."""

    citizen: strawberry.ID = _given(*_CITIZEN)
    channel: str | None = _may_be_given("The channel wanted.", "Il canale preferito.")
    language: str | None = _may_be_given("The language wanted, as `it`.", "La lingua preferita, come `it`.")
    hours: str | None = _may_be_given("When to call, up to 100 characters.", "Gli orari, fino a 100 caratteri.")


def _written(kind: type, en: str, it: str) -> Any:
    declared = strawberry.field(
        default=None, description=in_two_languages(en, it), directives=[Semantic(iri=f"{HYDRA}entrypoint")]
    )
    declared.arguments = [
        argument("input", kind, "What to write.", "Che cosa scrivere."),
        argument(
            "idempotency_key",
            str,
            "Chosen by the writer, 8 to 64 characters: the same key and input are written once.",
            "Scelta da chi scrive, da 8 a 64 caratteri: stessa chiave e stesso contenuto si scrivono una volta sola.",
        ),
    ]
    return declared


@strawberry.type(
    description=in_two_languages("What may be written.", "Che cosa si può scrivere."),
    directives=[Semantic(iri=f"{CROCEVIA}Mutation")],
)
class Mutation:
    """The roots of writing; each published one has a single owner."""

    record_interaction: Interaction | None = _written(
        InteractionInput, "Record a contact with a citizen.", "Registra un contatto con un cittadino."
    )
    change_case_status: ServiceCase | None = _written(
        CaseStatusInput, "Say that a case is in another state.", "Comunica il nuovo stato di una pratica."
    )
    give_feedback: Feedback | None = _written(
        FeedbackInput, "Record a citizen's opinion on a service.", "Registra il parere di un cittadino."
    )
    record_consent: ConsentRecord | None = _written(
        ConsentInput, "Record a consent given or withdrawn.", "Registra un consenso dato o revocato."
    )
    prefer_contact: ContactPreference | None = _written(
        ContactPreferenceInput, "Record how a citizen wants to be reached.", "Registra come essere contattati."
    )
