"""The world of the embedded server: pure state with verbs, which knows TL objects and time but no bytes."""

from bot.sandbox.world.channels import Channel
from bot.sandbox.world.groups import Group
from bot.sandbox.world.messages import Message
from bot.sandbox.world.refused import Refused
from bot.sandbox.world.roster import MemberRole
from bot.sandbox.world.users import User
from bot.sandbox.world.world import World

__all__ = ["Channel", "Group", "MemberRole", "Message", "Refused", "User", "World"]
