"""How posts get in, from Telegram by accounts, public pages and exports, and from other networks.

What a source has to give is stated in `bot.models`; README, «Architecture», says how to add a network.
"""
