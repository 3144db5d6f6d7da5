// Starts GraphiQL on the signing proxy; everything it needs stands in the data attributes of its element.
"use strict";
const place = document.getElementById("graphiql");
const fetcher = GraphiQL.createFetcher({ url: new URL(place.dataset.endpoint, location.href).href });
ReactDOM.createRoot(place).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: place.dataset.query,
    variables: place.dataset.variables,
    defaultEditorToolsVisibility: "variables",
    shouldPersistHeaders: false,
  }),
);
