"""OctoMesh as the bridge sees it: an identity service, tenants on both GraphQL dialects, REST, and whatever can go wrong."""
