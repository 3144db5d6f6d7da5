"""Connections of the published roots: pages, filters and orders (Relay)."""

from enum import Enum
from typing import Generic, TypeVar

import strawberry
from strawberry.federation.schema_directives import Shareable

from node.vocabulary.directives import Semantic
from node.vocabulary.scalars import Date, Decimal, PartialDate
from node.vocabulary.terms import CROCEVIA, HYDRA, in_two_languages, plumbing

Node = TypeVar("Node")


@strawberry.enum(description=in_two_languages("Which end of an order comes first.", "Il verso dell'ordinamento."))
class OrderDirection(Enum):
    """Ascending or descending; nulls always come last."""

    ASC = "ASC"
    DESC = "DESC"


@strawberry.input(description=in_two_languages("Tests on a text; all must hold.", "Condizioni su un testo."))
class StringFilter:
    """Tests on a text, compared by code point."""

    eq: str | None = strawberry.UNSET
    in_: list[str] | None = strawberry.field(name="in", default=strawberry.UNSET)
    gt: str | None = strawberry.UNSET
    gte: str | None = strawberry.UNSET
    lt: str | None = strawberry.UNSET
    lte: str | None = strawberry.UNSET
    starts_with: str | None = strawberry.UNSET


@strawberry.input(description=in_two_languages("Tests on an identifier.", "Condizioni su un identificativo."))
class IdFilter:
    """Tests on an identifier: it has no order."""

    eq: strawberry.ID | None = strawberry.UNSET
    in_: list[strawberry.ID] | None = strawberry.field(name="in", default=strawberry.UNSET)


@strawberry.input(description=in_two_languages("Tests on a whole number.", "Condizioni su un numero intero."))
class IntFilter:
    """Tests on a whole number; all must hold."""

    eq: int | None = strawberry.UNSET
    in_: list[int] | None = strawberry.field(name="in", default=strawberry.UNSET)
    gt: int | None = strawberry.UNSET
    gte: int | None = strawberry.UNSET
    lt: int | None = strawberry.UNSET
    lte: int | None = strawberry.UNSET


@strawberry.input(description=in_two_languages("Tests on an amount.", "Condizioni su un importo."))
class DecimalFilter:
    """Tests on an amount, compared as a number; all must hold."""

    eq: Decimal | None = strawberry.UNSET
    in_: list[Decimal] | None = strawberry.field(name="in", default=strawberry.UNSET)
    gt: Decimal | None = strawberry.UNSET
    gte: Decimal | None = strawberry.UNSET
    lt: Decimal | None = strawberry.UNSET
    lte: Decimal | None = strawberry.UNSET


@strawberry.input(description=in_two_languages("Tests on a day; all must hold.", "Condizioni su un giorno."))
class DateFilter:
    """Tests on a day; all must hold."""

    eq: Date | None = strawberry.UNSET
    in_: list[Date] | None = strawberry.field(name="in", default=strawberry.UNSET)
    gt: Date | None = strawberry.UNSET
    gte: Date | None = strawberry.UNSET
    lt: Date | None = strawberry.UNSET
    lte: Date | None = strawberry.UNSET


@strawberry.input(
    description=in_two_languages("Tests on a date of any precision.", "Condizioni su una data di precisione nota.")
)
class PartialDateFilter:
    """Tests on a date of any precision, compared as texts; all must hold."""

    eq: PartialDate | None = strawberry.UNSET
    in_: list[PartialDate] | None = strawberry.field(name="in", default=strawberry.UNSET)
    gt: PartialDate | None = strawberry.UNSET
    gte: PartialDate | None = strawberry.UNSET
    lt: PartialDate | None = strawberry.UNSET
    lte: PartialDate | None = strawberry.UNSET
    starts_with: str | None = strawberry.UNSET


@strawberry.input(description=in_two_languages("Which residences count.", "Quali residenze contano."))
class ResidenceWhere:
    """Tests on a residence."""

    municipality: StringFilter | None = strawberry.UNSET
    since: PartialDateFilter | None = strawberry.UNSET
    status: StringFilter | None = strawberry.UNSET
    and_: list["ResidenceWhere"] | None = strawberry.field(name="and", default=strawberry.UNSET)
    or_: list["ResidenceWhere"] | None = strawberry.field(name="or", default=strawberry.UNSET)
    not_: "ResidenceWhere | None" = strawberry.field(name="not", default=strawberry.UNSET)


@strawberry.input(description=in_two_languages("Which cases count.", "Quali pratiche contano."))
class ServiceCaseWhere:
    """Tests on a case."""

    title: StringFilter | None = strawberry.UNSET
    status: StringFilter | None = strawberry.UNSET
    opened_on: DateFilter | None = strawberry.UNSET
    deadline: DateFilter | None = strawberry.UNSET
    and_: list["ServiceCaseWhere"] | None = strawberry.field(name="and", default=strawberry.UNSET)
    or_: list["ServiceCaseWhere"] | None = strawberry.field(name="or", default=strawberry.UNSET)
    not_: "ServiceCaseWhere | None" = strawberry.field(name="not", default=strawberry.UNSET)


@strawberry.input(description=in_two_languages("Which citizens to list.", "Quali cittadini elencare."))
class CitizenWhere:
    """Tests on citizens; a person is looked up by `Query.citizen`, never by listing identifiers.

    A test on a relation holds if one of the objects that it leads to passes it.
    """

    given_name: StringFilter | None = strawberry.UNSET
    family_name: StringFilter | None = strawberry.UNSET
    date_of_birth: PartialDateFilter | None = strawberry.UNSET
    sex: StringFilter | None = strawberry.UNSET
    citizenship: StringFilter | None = strawberry.UNSET
    marital_status: StringFilter | None = strawberry.UNSET
    residence: ResidenceWhere | None = strawberry.UNSET
    cases: ServiceCaseWhere | None = strawberry.UNSET
    benefits: "BenefitWhere | None" = strawberry.UNSET
    and_: list["CitizenWhere"] | None = strawberry.field(name="and", default=strawberry.UNSET)
    or_: list["CitizenWhere"] | None = strawberry.field(name="or", default=strawberry.UNSET)
    not_: "CitizenWhere | None" = strawberry.field(name="not", default=strawberry.UNSET)


@strawberry.input(one_of=True, description=in_two_languages("One key of an order.", "Una chiave di ordinamento."))
class CitizenOrderBy:
    """One key of an order of citizens."""

    given_name: OrderDirection | None = strawberry.UNSET
    family_name: OrderDirection | None = strawberry.UNSET
    date_of_birth: OrderDirection | None = strawberry.UNSET
    sex: OrderDirection | None = strawberry.UNSET
    citizenship: OrderDirection | None = strawberry.UNSET
    marital_status: OrderDirection | None = strawberry.UNSET


@strawberry.input(description=in_two_languages("Which benefits to list.", "Quali prestazioni elencare."))
class BenefitWhere:
    """Tests on benefits."""

    id: IdFilter | None = strawberry.UNSET
    kind: StringFilter | None = strawberry.UNSET
    status: StringFilter | None = strawberry.UNSET
    amount: DecimalFilter | None = strawberry.UNSET
    valid_from: DateFilter | None = strawberry.UNSET
    valid_until: DateFilter | None = strawberry.UNSET
    and_: list["BenefitWhere"] | None = strawberry.field(name="and", default=strawberry.UNSET)
    or_: list["BenefitWhere"] | None = strawberry.field(name="or", default=strawberry.UNSET)
    not_: "BenefitWhere | None" = strawberry.field(name="not", default=strawberry.UNSET)


@strawberry.input(one_of=True, description=in_two_languages("One key of an order.", "Una chiave di ordinamento."))
class BenefitOrderBy:
    """One key of an order of benefits."""

    kind: OrderDirection | None = strawberry.UNSET
    status: OrderDirection | None = strawberry.UNSET
    amount: OrderDirection | None = strawberry.UNSET
    valid_from: OrderDirection | None = strawberry.UNSET
    valid_until: OrderDirection | None = strawberry.UNSET


@strawberry.input(description=in_two_languages("Which programmes to list.", "Quali progetti elencare."))
class SupportProgrammeWhere:
    """Tests on support programmes."""

    id: IdFilter | None = strawberry.UNSET
    kind: StringFilter | None = strawberry.UNSET
    status: StringFilter | None = strawberry.UNSET
    started_on: DateFilter | None = strawberry.UNSET
    ended_on: DateFilter | None = strawberry.UNSET
    weekly_hours: IntFilter | None = strawberry.UNSET
    and_: list["SupportProgrammeWhere"] | None = strawberry.field(name="and", default=strawberry.UNSET)
    or_: list["SupportProgrammeWhere"] | None = strawberry.field(name="or", default=strawberry.UNSET)
    not_: "SupportProgrammeWhere | None" = strawberry.field(name="not", default=strawberry.UNSET)


@strawberry.input(one_of=True, description=in_two_languages("One key of an order.", "Una chiave di ordinamento."))
class SupportProgrammeOrderBy:
    """One key of an order of support programmes."""

    kind: OrderDirection | None = strawberry.UNSET
    status: OrderDirection | None = strawberry.UNSET
    started_on: OrderDirection | None = strawberry.UNSET
    ended_on: OrderDirection | None = strawberry.UNSET
    weekly_hours: OrderDirection | None = strawberry.UNSET


@strawberry.type(
    description=in_two_languages("Where a page stands in its list.", "La posizione di una pagina nell'elenco."),
    directives=[Shareable(), Semantic(iri=f"{HYDRA}PartialCollectionView")],
)
class PageInfo:
    """Relay PageInfo; cursors are opaque."""

    has_next_page: bool = plumbing(f"{HYDRA}next", "Whether more follow.", "Se seguono altri elementi.")
    has_previous_page: bool = plumbing(f"{HYDRA}previous", "Whether some precede.", "Se precedono altri elementi.")
    start_cursor: str | None = plumbing(f"{HYDRA}first", "Cursor of the first.", "Il cursore del primo elemento.")
    end_cursor: str | None = plumbing(f"{HYDRA}last", "Cursor of the last.", "Il cursore dell'ultimo elemento.")


@strawberry.type(
    description=in_two_languages("One element of a list.", "Un elemento dell'elenco."),
    directives=[Semantic(iri=f"{HYDRA}member")],
)
class Edge(Generic[Node]):
    """Relay edge."""

    cursor: str = plumbing(f"{CROCEVIA}cursor", "Its place in the list.", "La sua posizione nell'elenco.")
    node: Node | None = plumbing(f"{HYDRA}member", "The element.", "L'elemento.")


@strawberry.type(
    description=in_two_languages("One page of a list.", "Una pagina di un elenco."),
    directives=[Semantic(iri=f"{HYDRA}Collection")],
)
class Connection(Generic[Node]):
    """Relay connection over what the policies let the asking administration see."""

    edges: list[Edge[Node]] | None = plumbing(f"{HYDRA}member", "The elements of this page.", "Gli elementi.")
    page_info: PageInfo = plumbing(f"{HYDRA}view", "Where the page stands.", "La posizione della pagina.")
    total_count: int | None = plumbing(
        f"{HYDRA}totalItems", "How many in all, where that may be told.", "Quanti in tutto, se è consentito dirlo."
    )
