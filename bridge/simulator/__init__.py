"""Serve a provider's own protocol locally, with made-up homes, prices and faults.

Nothing here leaves 127.0.0.1, and nothing else of the bridge is used: it meets this as it would meet a stranger.
"""
