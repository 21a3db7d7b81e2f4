"""Keys of the embedded server: its RSA pair, the Diffie-Hellman group, and the authorisation keys of its clients."""

from dataclasses import dataclass
from datetime import datetime

import rsa
from telethon.crypto import AuthKey

G = 3  # with DH_PRIME: the group for keys (mtproto/auth_key) and for passwords (api/srp)
DH_PRIME = int(  # the safe prime of Telegram's own servers; clients may refuse any other
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)

# Published with this source, so it protects nothing: the server that it names listens on loopback only.
_PEM = b"""\
-----BEGIN RSA PRIVATE KEY-----
MIIEqgIBAAKCAQEAjl6iDxkrhAWRExn0AMVNznIMnM63Bh6RcGCEh00xshIwJNJZ
//yLY4mnyUFkZyHJLTkTidg3cKc6GRXGA7UKaX8SaNeq7EYi7KBeTiRrVPsgcQ7O
ld3d0OepiEpDtzxYIqxhnZjt6TyhDrD4s63Z1Cv9klB7+FHiUlZPQ/7/ChixqobO
T7z0iG4ilCl/SzIqBgbVT8zHfKEVyxO+IUikdKIlgDvtOu4OQEi1FvAoOtGcWUJl
/KAwTX8LAfG0vrJNip3UvI18Co9ItizDXfJ5Sk5e1J/cfbGsJk9lcWkMZtZfe4uZ
Dcbh/lOF4qsGtErsJcOhqO8Zjdm6noj6ERLP2wIDAQABAoIBABvhSFcwlKb7+BcH
hBMKkFwXVYT3rjvSjKS3IfzlDxBSI39yehF5QUqy0FrHJYRUx3LFtJ/P6btz5Bq5
eteLAoj6S36gjWZLrdcs6Irg8uvnacj6H1aV5jRcyYRZFr2xYYkYvN0B78U3DEs2
ON3m87trCfM3M6/DSSky3ceUzhFebQQtXx1o2m3WUpSNWpIM3kRUn1wB5R+c+UH1
x2mLrh+ibu0TP7bDEdZDpVE3ad6wk5Mb395vAgJ2TU1jfToWNmHIVzef+KfzN8E4
gEwmQjJXfJG5zdIkGJHAp6Dr24+XKA+wsudOgRR0EK6/zpKx9vqUjkouTeoku/Oc
eFnW3IECgYkAyn9XULXq2X7lE9bOvBdHS+k3TonHqeP82RBlpxHeNZ/5E/+m/zFm
dh8qop5bFThu49/Nc/kNeJn9n7JoVUd47fx5iCDl/zv12vJDSUxOcwSNxmnCmW+0
oTOBAOrxb96WrdkAiX/PWmaWy6tlLy8JLuuf37lIZ2FCN6xquCK8mP52FVAl3huz
oQJ5ALP8VEQtkZkrwWP9yfoKeqASkD2sJp3uVufcW0c5dnB5ZSgqSEWDt8GRfH7l
jTLO4ZknKhdymeSuGMbLvG+6lDu0vocDEYj8Ge58dhudTTfDId419YZzg9M/J8g2
5r5MC4DZd/GY6OM/UoNjzoR435R+alXpk3wR+wKBiAIhyReOcsSLc3n7/v03+YYx
FGX9SV7eiaD3bTqPE5nY71RokqeJK5z+wwInTKoyh+haSN15t8yXQnZV+Ic9U2ae
C+GFBybiyLnfZxn0dbb8S0nVfzkCVhKEak1KK/STkV6PNFQ+Rj6baecHDO+sPRqD
XJGMb9i2y22uoQkDRJ0PwMqEp4FpJUECeQCP7/yH5ZVp1Fc9mwm6wESe3RmjaJgd
dyzjEhOhWy//9OVUALR5e0QqNipE5VlNR6udKnf79ndiLWS9HtPc2m6PbRVtraOJ
VGt8kOZ3YQ4OySu9pJNs6daDyx8Ke/V+PBx69+93M90TV2Gql9fhkzTicVKi0EBV
WZ8CgYkAmpBzZlMc2opGQxQJfcgRRy1S1HSu8ExnUeKBnC24dF0Wwn51MSrcBYc9
XTrMR69sjmtLeLDRb7WugJgG3RU5Z7z7ifpmsrY4qtGOc0W2a2lfBqhpEdiKDguH
ckl8sRzTGCBxfm+pS78HaF18ueVOAbirXQ3vg0E+alnkpnHnIF189Jn7GMAagQ==
-----END RSA PRIVATE KEY-----
"""

PRIVATE_KEY = rsa.PrivateKey.load_pkcs1(_PEM)
PUBLIC_PEM: str = rsa.PublicKey(PRIVATE_KEY.n, PRIVATE_KEY.e).save_pkcs1().decode()  # PKCS#1, as Telethon takes it


@dataclass(slots=True, kw_only=True, eq=False)
class Auth:
    """An authorisation key, and who is signed in with it."""

    key: AuthKey
    created: datetime
    account_id: int | None = None  # None = nobody
    password_needed: int | None = None  # the account that gave its code and owes its 2FA password
    revoked: bool = False  # signed out from elsewhere
    layer: int | None = None  # the TL layer of its last invokeWithLayer
    api_id: int | None = None  # this and the rest: from initConnection
    device_model: str | None = None
    system_version: str | None = None
    app_version: str | None = None
    system_lang_code: str | None = None
    lang_code: str | None = None
