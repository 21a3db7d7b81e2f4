"""Channelwatch: posts of Telegram channels come in, alerts and answers in chats go out.

```
            reader account (user session)                        bot account (bot session)
Telegram ──▶ sources.live ─────┐                                      ┌─▶ delivery.worker ─▶ telegram.sender ──▶ chats
Telegram ──▶ sources.sweep ────┼─▶ pipeline ─▶ store: posts, versions │   composer, retry     rate limits, queue
web pages ─▶ sources.pages ────┤     └─▶ matching, grouping (pure)    ├─▶ delivery.worker ─▶ targets: e-mail, webhook …
sites ─────▶ sources.sites ────┤           └─▶ store: alerts, outbox ─┘
exports ───▶ sources ──────────┘
chats ─────▶ commands ⇄ store ─▶ sources.follow_requests (joins, leaves)
```

`app` wires these parts, `cli` starts them; `sandbox` is an embedded Telegram server for `demo` and the tests.
"""

__version__ = "0.1.0"
