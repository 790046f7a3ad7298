"""Closing a server, with nobody left whom it had just accepted."""

import asyncio


async def accept_no_more(server: asyncio.Server) -> None:
    """Close `server`; afterwards its connections are all made, and the caller's to close.

    asyncio makes a connection two turns after it was accepted, and drops it unclosed where the
    server was closed meanwhile.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    for _turn in range(2):
        await asyncio.sleep(0)
    server.close()
