"""The benchmark's federations as supergraph SDL (join v0.3, which every gateway reads), their queries and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support.join import JOIN

ENTITIES = 40
_PADDING = "and so on for a few more words yet"
"""Makes the classic answer as long as that of the federations it stands for."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A federation, one query over it, and what every subgraph answers to anything."""

    name: str
    subgraphs: tuple[str, ...]
    types: str
    query: str
    answers: dict[str, Any]
    expected: Any

    def sdl(self, port: int) -> str:
        """Return the supergraph whose subgraphs answer on a port of this machine, each at an address of its own."""
        graphs = "\n".join(
            f'  {name.upper()} @join__graph(name: "{name}", url: "http://127.0.1.{number}:{port}/{self.name}/{name}")'
            for number, name in enumerate(self.subgraphs, 1)
        )
        return f"{JOIN}\nenum join__Graph {{\n{graphs}\n}}\n{self.types}"


def classic() -> Workload:
    """Forty products from one subgraph, joined with stock and reviews from two others: 20.7 kB."""
    products = [
        {
            "__typename": "Product",
            "id": f"p{number}",
            "name": f"Product number {number}",
            "description": f"Long enough to be worth reading, number {number}, and a bit more {_PADDING}",
            "price": {"amount": number * 1.25 + 0.5, "currency": "EUR"},
        }
        for number in range(ENTITIES)
    ]
    stock = [
        {
            "inStock": number % 3 == 0,
            "quantity": number,
            "warehouse": {"name": f"Store {number % 7}", "city": "Borgoverde"},
        }
        for number in range(ENTITIES)
    ]
    reviews = [
        {
            "rating": 3.5,
            "reviews": [
                {
                    "id": f"r{number}-{each}",
                    "text": f"Review {each} of product {number} {_PADDING}",
                    "author": {"name": f"Writer {each}"},
                }
                for each in range(2)
            ],
        }
        for number in range(ENTITIES)
    ]
    shown = [
        {key: value for key, value in {**a, **b, **c}.items() if key != "__typename"}
        for a, b, c in zip(products, stock, reviews, strict=True)
    ]
    return Workload(
        name="classic",
        subgraphs=("products", "stock", "reviews"),
        types="""
type Query @join__type(graph: PRODUCTS) @join__type(graph: STOCK) @join__type(graph: REVIEWS) {
  topProducts(first: Int): [Product!] @join__field(graph: PRODUCTS)
}
type Product
  @join__type(graph: PRODUCTS, key: "id")
  @join__type(graph: STOCK, key: "id")
  @join__type(graph: REVIEWS, key: "id") {
  id: ID!
  name: String! @join__field(graph: PRODUCTS)
  description: String @join__field(graph: PRODUCTS)
  price: Money @join__field(graph: PRODUCTS)
  inStock: Boolean @join__field(graph: STOCK)
  quantity: Int @join__field(graph: STOCK)
  warehouse: Warehouse @join__field(graph: STOCK)
  rating: Float @join__field(graph: REVIEWS)
  reviews: [Review!] @join__field(graph: REVIEWS)
}
type Money @join__type(graph: PRODUCTS) { amount: Float! currency: String! }
type Warehouse @join__type(graph: STOCK) { name: String! city: String }
type Review @join__type(graph: REVIEWS) { id: ID! text: String author: Author }
type Author @join__type(graph: REVIEWS) { name: String! }
""",
        query="""query Classic { topProducts(first: 40) { id name description price { amount currency }
  inStock quantity warehouse { name city } rating reviews { id text author { name } } } }""",
        answers={
            "products": {"data": {"topProducts": products}},
            "stock": {"data": {"_entities": [{"__typename": "Product", **item} for item in stock]}},
            "reviews": {"data": {"_entities": [{"__typename": "Product", **item} for item in reviews]}},
        },
        expected={"topProducts": shown},
    )


def fan_out(width: int) -> Workload:
    """One object from one subgraph, and one field of it from each of `width` others."""
    names = tuple(f"n{number}" for number in range(width))
    joins = " ".join(f'@join__type(graph: {name.upper()}, key: "id")' for name in names)
    queries = " ".join(f"@join__type(graph: {name.upper()})" for name in names)
    lines = "\n".join(f"  {name}: String @join__field(graph: {name.upper()})" for name in names)
    return Workload(
        name=f"fan{width}",
        subgraphs=("root", *names),
        types=f"""
type Query @join__type(graph: ROOT) {queries} {{ item: Item @join__field(graph: ROOT) }}
type Item @join__type(graph: ROOT, key: "id") {joins} {{
  id: ID!
{lines}
}}
""",
        query=f"query FanOut {{ item {{ id {' '.join(names)} }} }}",
        answers={
            "root": {"data": {"item": {"__typename": "Item", "id": "i1"}}},
            **{name: {"data": {"_entities": [{"__typename": "Item", name: f"value of {name}"}]}} for name in names},
        },
        expected={"item": {"id": "i1", **{name: f"value of {name}" for name in names}}},
    )


def all_workloads() -> list[Workload]:
    """Return every workload of the benchmark."""
    return [classic(), *(fan_out(width) for width in (2, 8, 32, 128))]


def encoded_answers(workloads: list[Workload]) -> dict[bytes, bytes]:
    """Return the body of every subgraph's answer by its path."""
    return {
        f"/{work.name}/{name}".encode(): json.dumps(answer, separators=(",", ":")).encode()
        for work in workloads
        for name, answer in work.answers.items()
    }
