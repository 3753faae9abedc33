"""A command topic lets devices ask for queries and writes: authorise → execute → respond, one answer to each command."""
