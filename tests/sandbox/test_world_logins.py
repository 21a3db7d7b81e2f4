import pytest
from telethon import password as client_half
from telethon.tl import types as tl

from bot.sandbox.world import Refused, User
from bot.sandbox.world.media import MAX_PART

from .worlds import RecordedWorld

PHONE = "+7 999 000-00-01"


@pytest.fixture
def anna(recorded: RecordedWorld) -> User:
    return recorded.world.add_user("Anna", phone=PHONE, password="correct horse")  # noqa: S106 - a test's own


def test_a_code_opens_the_account_of_its_phone_once(recorded: RecordedWorld, anna: User) -> None:
    logins = recorded.world.logins
    sent = logins.send_code(PHONE, recorded.clock())
    code = recorded.world.login_code("+79990000001")
    with pytest.raises(Refused, match="PHONE_CODE_EMPTY"):
        logins.sign_in(PHONE, sent.digest, "", recorded.clock())
    with pytest.raises(Refused, match="PHONE_CODE_INVALID"):
        logins.sign_in(PHONE, sent.digest, code + "0", recorded.clock())
    assert logins.sign_in(PHONE, sent.digest, code, recorded.clock()) is anna
    with pytest.raises(Refused, match="PHONE_CODE_EXPIRED"):
        logins.sign_in(PHONE, sent.digest, code, recorded.clock())


def test_a_code_expires(recorded: RecordedWorld) -> None:
    sent = recorded.world.logins.send_code(PHONE, recorded.clock())
    recorded.clock.advance(301)
    with pytest.raises(Refused, match="PHONE_CODE_EXPIRED"):
        recorded.world.logins.sign_in(PHONE, sent.digest, sent.digits, recorded.clock())


def test_a_code_of_nobody_s_phone_opens_nothing(recorded: RecordedWorld) -> None:
    sent = recorded.world.logins.send_code("+15550001", recorded.clock())
    assert recorded.world.logins.sign_in("15550001", sent.digest, sent.digits, recorded.clock()) is None
    with pytest.raises(Refused, match="PHONE_NUMBER_INVALID"):
        recorded.world.logins.send_code("12", recorded.clock())


def test_a_password_is_proven_without_being_sent(recorded: RecordedWorld, anna: User) -> None:
    passwords = recorded.world.passwords
    challenge = passwords.challenge(anna.id, anna.password)
    passwords.check(anna.id, client_half.compute_check(challenge, "correct horse"))
    with pytest.raises(Refused, match="SRP_ID_INVALID"):
        passwords.check(anna.id, client_half.compute_check(challenge, "correct horse"))
    challenge = passwords.challenge(anna.id, anna.password)
    with pytest.raises(Refused, match="PASSWORD_HASH_INVALID"):
        passwords.check(anna.id, client_half.compute_check(challenge, "wrong horse"))
    challenge = passwords.challenge(anna.id, anna.password)
    with pytest.raises(Refused, match="PASSWORD_HASH_INVALID"):
        passwords.check(anna.id, tl.InputCheckPasswordSRP(challenge.srp_id, bytes(256), bytes(32)))


def test_an_account_without_a_password_has_no_challenge(recorded: RecordedWorld) -> None:
    boris = recorded.world.add_user("Boris")
    assert not recorded.world.passwords.challenge(boris.id, boris.password).has_password


def test_a_qr_token_is_scanned_once_and_expires(recorded: RecordedWorld, anna: User) -> None:
    owner, scanned = object(), []
    recorded.world.on_token = scanned.append
    token = recorded.world.logins.token(owner, recorded.clock())
    assert recorded.world.logins.token(owner, recorded.clock()) is token
    recorded.world.accept_login_token(token.value, anna)
    assert scanned == [token]
    assert token.account is anna
    with pytest.raises(Refused, match="AUTH_TOKEN_ALREADY_ACCEPTED"):
        recorded.world.accept_login_token(token.value, anna)
    recorded.clock.advance(31)
    with pytest.raises(Refused, match="AUTH_TOKEN_EXPIRED"):
        recorded.world.accept_login_token(token.value, anna)
    assert recorded.world.logins.token(owner, recorded.clock()) is not token
    with pytest.raises(Refused, match="AUTH_TOKEN_INVALID"):
        recorded.world.accept_login_token(b"no such", anna)


def test_an_upload_needs_all_its_parts(recorded: RecordedWorld) -> None:
    media = recorded.world.media
    media.save_part(1, 7, 1, b"end")
    with pytest.raises(Refused, match="FILE_PART_0_MISSING"):
        media.assemble(1, 7, 2)
    media.save_part(1, 7, 0, b"start ")
    assert media.assemble(1, 7, 2) == b"start end"
    with pytest.raises(Refused, match="FILE_PART_TOO_BIG"):
        media.save_part(1, 8, 0, bytes(MAX_PART + 1))


def test_a_file_is_found_by_its_id_hash_and_reference(recorded: RecordedWorld) -> None:
    document = recorded.world.media.document(b"bytes", name="a.txt").document
    find = recorded.world.media.find
    assert find(document.id, document.access_hash, document.file_reference).data == b"bytes"
    with pytest.raises(Refused, match="FILE_ID_INVALID"):
        find(document.id, 1, document.file_reference)
    with pytest.raises(Refused, match="FILE_REFERENCE_EXPIRED"):
        find(document.id, document.access_hash, b"old")


def test_a_username_is_had_once(recorded: RecordedWorld) -> None:
    recorded.world.add_channel("News", username="News_now")
    with pytest.raises(Refused, match="USERNAME_OCCUPIED"):
        recorded.world.add_user("Boris", username="news_NOW")
