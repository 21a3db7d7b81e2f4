"""The public web pages of the same world, over HTTP: what a browser sees of a channel without an account.

The structure, the classes and the attributes are those of pages of 2026; what nobody has seen is not invented. Nothing
here is imported before pages are asked for.

```
world ─▶ selection (which posts) ─▶ block (one post: text, media) ─▶ frame (a page) ─▶ server ◀─ faults
```
"""
