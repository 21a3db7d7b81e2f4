"""How much the service costs beside plain Telethon: ratios, each measured in one run with its baseline in turn.

`python -m tests.benchmarks [--full] [ROW …]`. Linux only: the figures of a process are read from /proc and its clock.

```
this process ─┬─ stage    the embedded server, its channels, and the subscriber's client
              ├─ service  `python -m bot run`, as anybody runs it
              └─ bare     the same work in a few lines of plain Telethon: the baseline
```
"""
