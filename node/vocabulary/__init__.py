"""The GraphQL types of the shared vocabulary, printed as schema.graphql."""
