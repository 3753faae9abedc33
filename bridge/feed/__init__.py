"""Pollers normalise prices and readings into messages on retained topics: poll → keep → enrich → publish."""
