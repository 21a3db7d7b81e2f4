"""The outbox on its way out: due alerts come in, messages in chats go out."""
