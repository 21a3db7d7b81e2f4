"""Stub until the files that follow alerts land."""


async def enqueue_for_alert(tx, alert_id, *, now): ...
async def settled(tx, media_id, *, now): ...
async def count_missing(db, channel_id, post_key):
    return 0
