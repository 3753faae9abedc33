"""One file a service; see `base.py` for what a provider is, and CONTRIBUTING for how to add one."""
