"""The world of the embedded server: accounts and chats with verbs, in TL objects, without a byte of MTProto."""

from bot.sandbox.world.channels import Channel
from bot.sandbox.world.groups import BasicGroup
from bot.sandbox.world.messages import Message
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.roster import MemberRole
from bot.sandbox.world.users import User
from bot.sandbox.world.world import World

__all__ = ["BasicGroup", "Channel", "MemberRole", "Message", "Refused", "User", "World"]
