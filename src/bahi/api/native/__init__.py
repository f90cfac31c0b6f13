"""Our own API, for programs and for the pages of the sources: JSON, described by OpenAPI."""
