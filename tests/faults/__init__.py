"""The fault bench: backends and clients that stop, drip, lie and vanish at any byte, and what must hold even so."""
