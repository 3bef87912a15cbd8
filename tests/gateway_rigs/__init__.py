"""One rig per gateway: the real program, or a server written from the vendor's reference, and how to disturb it."""
