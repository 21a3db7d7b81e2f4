"""Channelwatch: posts of Telegram channels come in, alerts and answers in chats go out.

```
            reader account (user session)                        bot account (bot session)
Telegram ──▶ sources.live ───┐                                      ┌─▶ delivery.worker ─▶ telegram.sender ──▶ chats
Telegram ──▶ sources.sweep ──┼─▶ ingest ─▶ store: posts, versions   │   courier, retry      pacing, turns
files ─────▶ sources.archive ┘     └─▶ matching, tellings (pure)    │
                                         └─▶ store: alerts (outbox) ┘
chats ─────▶ commands ⇄ store ─▶ sources.subscriptions (joins, leaves)
```

`app` wires these parts, `cli` starts them; `sandbox` is an embedded Telegram server for `demo` and the tests.
"""

__version__ = "0.1.0"
