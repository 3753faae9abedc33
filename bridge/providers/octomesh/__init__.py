"""OctoMesh: entities of plants and machines, over GraphQL in two dialects and REST, signed in by OAuth 2.0."""
