"""The server's half of MTProto 2.0, from the bytes of a TCP connection to requests, and back with answers.

```
connection ⇄ wire (transports) ⇄ handshake (a new key) | session (envelope ⇄ inbox, outbox, housekeeping, salts)
```
"""
