"""The server's half of MTProto 2.0: bytes of one TCP connection come in, requests go out, and answers the way back.

```
connection ⇄ wire (transports) ⇄ handshake (a new key) | session (envelope ⇄ inbox, outbox, housekeeping, salts)
```
"""
