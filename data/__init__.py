"""The LeRobot v3.0 store: writing, reading, importing, checking, caching, cutting windows."""
