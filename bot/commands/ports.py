"""An address in, whether a port of it is free out."""

import socket


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now. A port whose last user has just gone counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(host: str, first: int = 0, tries: int = 20) -> int:
    """`first` or the next free one after it; any free one where `first` is 0 or all of them are taken."""
    for port in range(first, first + tries) if first else ():
        if is_free(host, port):
            return port
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
